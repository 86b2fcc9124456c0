"""People sign in and out, with a password, a passkey, without a mouse, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import clients
from tests.browser.conftest import NewPage
from tests.issuer.http.world import World, made

PASSWORD = "correct horse battery"
SIGN_OUT_BANNER = "You are signed out"


def set_up(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


def sign_in(page: Page, user: str, password: str = PASSWORD) -> None:
    page.goto("/login")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("banner").get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name=SIGN_OUT_BANNER)).to_be_visible()


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_the_invitation_to_the_sign_out(
    new_page: NewPage, user: str, link: str, *, has_scripts: bool
) -> None:
    page = new_page(java_script_enabled=has_scripts)
    set_up(page, link)
    sign_out(page)
    page.goto("/")
    expect(page).to_have_title("Sign in · Hourmark")
    sign_in(page, user, "correct horse")
    expect(page.get_by_text("do not belong together")).to_be_visible()
    assert page.get_by_label("User name").input_value() == user
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    passkey_button = page.get_by_role("button", name="Sign in with a passkey")
    page.goto("/login")
    expect(passkey_button).to_be_visible(visible=has_scripts)


def with_authenticator(page: Page, *, verifies: bool = True) -> None:
    """Plugs in an authenticator that has a finger on it all the time: the user's, or a stranger's."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_enough_from_the_first_day(page: Page, link: str) -> None:
    with_authenticator(page)
    page.goto(link)
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    sign_out(page)
    page.goto("/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("last used")).to_be_visible()


def test_a_passkey_is_added_used_and_removed(page: Page, user: str, link: str) -> None:
    with_authenticator(page)
    set_up(page, link)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("the blue key")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="the blue key")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    # The authenticator knows that it has one for this user.
    expect(page.get_by_text("No passkey was used")).to_be_visible()
    page.goto("/")
    sign_out(page)
    page.goto("/login?next=/account/password")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Your password")).to_be_visible()
    page.goto("/")
    page.get_by_role("button", name="Remove the passkey the blue key").click()
    expect(page.get_by_role("heading", name="the blue key")).to_have_count(0)
    sign_out(page)
    page.goto("/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("That passkey could not be used")).to_be_visible()
    sign_in(page, user)
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


def test_a_strangers_finger_opens_nothing(page: Page, link: str) -> None:
    with_authenticator(page, verifies=False)
    for path, label in ((link, "Use a passkey instead"), ("/login", "Sign in with a passkey")):
        page.goto(path)
        page.get_by_role("button", name=label).click()
        expect(page.get_by_role("alert")).to_have_text(
            "No passkey was used. Try again, or go on another way."
        )
    page.goto("/")
    expect(page).to_have_title("Sign in · Hourmark")


def test_a_sign_in_leads_on_to_an_app_that_asks_nothing_more(
    world: World, page: Page, user: str, link: str
) -> None:
    """Browsers let a form's answer lead only where the policy of its page says, however many redirects on."""
    app = clients.register(world)
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": world.role("data:get@*")}))
    page.route(f"{clients.CALLBACK}**", lambda route: route.fulfill(body="here is the app"))
    set_up(page, link)
    page.goto(app.target())
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("here is the app")).to_be_visible()
    page.goto("/")
    sign_out(page)
    page.goto(app.target())
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("here is the app")).to_be_visible()


def test_with_the_keyboard_alone(page: Page, user: str, link: str) -> None:
    set_up(page, link)
    sign_out(page)
    page.goto("/login")
    page.keyboard.type(user)  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Change")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_small_screen(new_page: NewPage, link: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 320, "height": 640})
    set_up(page, link)
    for path in ("/", "/account/password", "/account/passkeys", "/login", "/logout", "/setup"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path
