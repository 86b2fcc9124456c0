"""The pages for everybody: by eye and ear, in light and dark, on small screens, without mouse or scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests import clients
from tests.browser.conftest import NewPage
from tests.browser.scenes import SCENES, Stage
from tests.browser.test_people import PASSWORD
from tests.issuer.http.world import World, made

AXE = Path(__file__).parents[1] / "journeys" / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (360, 1280)
_VIOLATIONS = """
async rules => (await axe.run({ runOnly: rules })).violations.flatMap(
  found => found.nodes.map(node => `${found.id}: ${node.html}: ${node.failureSummary}`))
"""
_HAS_FOCUS = "elements => elements.includes(document.activeElement)"
WITH_FORMS = (
    *("sign_in", "sign_in_wrong", "sign_in_again", "set_up", "set_up_wrong", "account_new", "account_full"),
    *("tokens", "token_new", "token_new_wrong"),
    *("password", "password_wrong", "consent", "consent_more", "consent_command_line"),
    *("device", "device_wrong", "device_asks", "device_command_line", "sign_out", "sign_out_for_an_app"),
)
every_scene = pytest.mark.parametrize("scene", SCENES)


def looks(page: Page) -> Iterator[str]:
    """The page in each scheme and width."""
    for scheme in SCHEMES:
        for width in WIDTHS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            yield f"{scheme}, {width}"


@every_scene
def test_nothing_stands_in_anybodys_way(world: World, new_page: NewPage, scene: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci --prefix tests/journeys/node")
    # The policy of our pages would stop axe too; every other test keeps to it.
    page = new_page(bypass_csp=True)
    SCENES[scene](Stage(world, page))
    page.add_script_tag(path=AXE)
    for look in looks(page):
        assert page.evaluate(_VIOLATIONS, RULES) == [], look


@every_scene
def test_no_page_is_wider_than_its_screen(world: World, page: Page, scene: str) -> None:
    SCENES[scene](Stage(world, page))
    for look in looks(page):
        size = page.viewport_size
        assert size is not None
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"], look


@pytest.mark.parametrize("scene", WITH_FORMS)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(world: World, page: Page, scene: str) -> None:
    SCENES[scene](Stage(world, page))
    reachable = page.locator("a, button, summary, select, textarea, input:not([type=hidden])").filter(
        visible=True
    )
    page.locator(".skip").focus()
    for element in reachable.all():
        expect(element).to_be_focused()
        expect(element).to_be_in_viewport()
        expect(element).to_have_css("outline-style", "solid")
        expect(element).to_have_css("outline-width", "3px")
        page.keyboard.press("Tab")


@pytest.mark.parametrize("scene", WITH_FORMS)
def test_pages_that_ask_do_without_scripts(world: World, new_page: NewPage, scene: str) -> None:
    page = new_page(java_script_enabled=False)
    SCENES[scene](Stage(world, page))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("form:not([data-passkey]) button").first).to_be_visible()
    expect(page.locator("[data-passkey]").filter(visible=True)).to_have_count(0)


@pytest.mark.parametrize(
    ("scene", "described", "kept"),
    [
        ("sign_in_wrong", "Password", ("User name", "ada")),
        ("set_up_wrong", "New password", None),
        ("password_wrong", "New password", None),
        ("device_wrong", "Code", ("Code", "BCDF-GHJK")),
        ("sign_in_passkey_wrong", None, None),
        ("passkey_wrong", None, ("Name", "The blue key")),
    ],
)
def test_what_is_wrong_is_announced_and_what_was_typed_is_kept(
    world: World, page: Page, scene: str, described: str | None, kept: tuple[str, str] | None
) -> None:
    SCENES[scene](Stage(world, page))
    expect(page).to_have_title(re.compile("Error: "))
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_have_count(1)
    if described is not None:
        field = page.get_by_label(described)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(alert.inner_text())))
    if kept is not None:
        expect(page.get_by_label(kept[0])).to_have_value(kept[1])
    for password in page.locator("[type=password]").all():
        expect(password).to_have_value("")


def test_with_the_keyboard_alone_from_the_link_to_the_sign_out(world: World, page: Page) -> None:
    def press(name: str) -> None:
        wanted = page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("link", name=name))
        expect(wanted.first).to_be_visible()
        while not wanted.evaluate_all(_HAS_FOCUS):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")

    stage = Stage(world, page)
    stage.open(stage.invite())
    role = {"role": world.role("data:get@*")}
    made(world.admin.post(f"/v1/users/{stage.user}/roles", json=role))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_visible()
    page.route(f"{clients.CALLBACK}**", lambda route: route.fulfill(body="here is the app"))
    stage.open(stage.app().target())
    press("Allow")
    expect(page.get_by_text("here is the app")).to_be_visible()
    stage.open("/device")
    page.keyboard.type(stage.device())
    page.keyboard.press("Enter")
    press("Deny")
    expect(page.get_by_role("heading", name="Denied")).to_be_visible()
    press("To your account")
    press("Change")
    expect(page.get_by_label("New password")).to_be_focused()
    page.keyboard.type(f"{PASSWORD} staple")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{PASSWORD} staple")
    press("Set password")
    press("Sign out")
    expect(page.get_by_role("heading", name="Sign out?")).to_be_visible()
    press("Sign out")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
