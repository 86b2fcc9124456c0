"""The consent page: what it says, when it is shown, and that nobody agrees to what it did not show."""

from __future__ import annotations

import pytest
from sqlmodel import select

from issuer.store.tables import UserGrant
from tests.browsers import Browser, inside
from tests.clients import App, allow, claims, command_line, register, returned
from tests.issuer.http.world import World, made

CONFIDENTIAL = {"token_endpoint_auth_method": "client_secret_basic"}
LOOPBACK, PRIVATE, ELSEWHERE = "http://127.0.0.1/cb", "com.example.app:/cb", "https://app.test/cb"


def is_asked(browser: Browser, app: App, **changes: str) -> bool:
    answer = browser.get(app.target(**changes))
    assert answer.status_code in (200, 302), answer.text
    return answer.status_code == 200


def test_what_it_says(world: World, browser: Browser) -> None:
    app = register(world, "data:get@* job:get@*[group=A]")
    page = browser.get(app.target(scope="openid data:get@x job:get@*[group=A] offline_access")).text
    for said in (
        *(app.name, "app.test", "This app of <strong>admin</strong>", "It never gets more than you can do"),
        *("get data x", "get every job with the label group=A", "for 30 days"),
    ):
        assert said in page
    assert "know your user name here" not in page, "it acts for the user anyway"
    held, not_held = page.index("get data x"), page.index("get every job")
    assert page.count("you may not do this now") == 1
    assert not_held < page.index("you may not do this now")
    assert "you may not do this now" not in page[held : page.index("</li>", held)]


def test_a_user_who_holds_nothing_of_it_is_not_asked(world: World, browser: Browser) -> None:
    app = register(world, "job:get@*")
    told = returned(browser.get(app.target(scope="job:get@*")))
    assert (told["error"], told["state"]) == ("invalid_scope", "state-1")


def test_nobody_consents_to_more_than_they_hold(world: World, browser: Browser, ada: str) -> None:
    app = register(world, "data:get@* job:get@*")
    app.code(browser, scope="data:get@* job:get@*")
    agreed = world.admin.get(f"/v1/consents?user={ada}").json()["items"][0]
    assert agreed["scope"] == "data:get@*"
    signed_in = app.sign_in(browser, scope="data:get@* job:get@*")
    assert signed_in["scope"] == "data:get@*"
    made(world.admin.post(f"/v1/users/{ada}/roles", json={"role": world.role("job:get@*")}))
    told = returned(browser.get(app.target(scope="data:get@* job:get@*", prompt="none")))
    assert told["error"] == "consent_required", "what came since was not agreed to"
    assert app.sign_in(browser, scope="data:get@* job:get@*")["scope"] == "data:get@* job:get@*"


@pytest.mark.parametrize(
    ("redirect_uri", "members", "is_asked_again"),
    [
        (ELSEWHERE, {}, False),
        (ELSEWHERE, CONFIDENTIAL, False),
        (LOOPBACK, {}, True),
        (PRIVATE, {}, True),
        (LOOPBACK, CONFIDENTIAL, False),
    ],
)
def test_what_any_program_could_pose_as_is_asked_about_each_time(
    world: World, browser: Browser, redirect_uri: str, members: dict[str, str], is_asked_again: bool
) -> None:
    app = register(world, redirect_uris=[redirect_uri], **members)
    app.code(browser, scope="data:get@x")
    assert is_asked(browser, app, scope="data:get@x") is is_asked_again
    told = returned(browser.get(app.target(scope="data:get@x", prompt="none")))
    assert told.get("error") == ("consent_required" if is_asked_again else None)


def test_the_command_line_acts_as_the_user_and_is_asked_about_each_time(
    world: World, browser: Browser, ada: str
) -> None:
    app = command_line(world)
    said = claims(app.sign_in(browser, scope="* openid offline_access")["access_token"])
    assert (said["sub"], said["client_id"], said.get("act")) == (f"user:{ada}", "hourmark-cli", None)
    assert said["scope"] == "data:get@* data:put@a* offline_access openid"
    assert is_asked(browser, app, scope="*")
    with inside(world.issuer) as there, there.database.read() as reading:
        kinds = select(UserGrant.kind).where(UserGrant.client_id == "hourmark-cli")
        assert "consent" not in set(reading.exec(kinds))


def test_being_away_is_asked_about_once(app: App, browser: Browser) -> None:
    app.code(browser, scope="data:get@x")
    assert is_asked(browser, app, scope="data:get@x offline_access")
    app.code(browser, scope="data:get@x offline_access")
    assert not is_asked(browser, app, scope="data:get@x offline_access")


def test_it_is_asked_about_again_once_it_was_withdrawn(app: App, browser: Browser) -> None:
    app.code(browser)
    withdraw = f"Withdraw what {app.name} may do"
    assert browser.press(withdraw, on="/authorised-apps").status_code == 303
    assert is_asked(browser, app)


def test_what_the_page_did_not_show_is_not_agreed_to(world: World, browser: Browser) -> None:
    """The app is registered for more while its user reads."""
    app = register(world, "data:get@*")
    assert "get every data" in browser.get(app.target()).text
    changed = world.admin.patch(f"/v1/apps/{app.name}", json={"scope": "data:get@* data:put@*"})
    assert changed.status_code == 200, changed.text
    asked = browser.send("/consent", {"decision": "allow"})
    assert asked.status_code == 200
    assert "put every data" in asked.text
    assert "code" in returned(browser.send("/consent", {"decision": "allow"}))


def test_an_app_that_is_registered_for_less_gets_less(world: World, browser: Browser) -> None:
    app = register(world, "data:get@* data:put@*")
    browser.get(app.target())
    assert world.admin.patch(f"/v1/apps/{app.name}", json={"scope": "data:get@*"}).status_code == 200
    code = returned(browser.send("/consent", {"decision": "allow"}))["code"]
    assert app.redeem(code).json()["scope"] == "data:get@*"


def test_an_address_that_is_registered_no_more_gets_no_code(world: World, browser: Browser) -> None:
    app = register(world)
    browser.get(app.target())
    elsewhere = {"redirect_uris": ["https://new.test/cb"]}
    assert world.admin.patch(f"/v1/apps/{app.name}", json=elsewhere).status_code == 200
    answer = browser.send("/consent", {"decision": "allow"})
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "fields",
    [
        *({}, {"decision": ""}, {"decision": "maybe"}, {"decision": "allow", "request": ""}),
        {"decision": "allow", "scope": "no@permission@"},
    ],
)
def test_a_form_that_is_none_of_ours(app: App, browser: Browser, fields: dict[str, str]) -> None:
    browser.get(app.target())
    answer = browser.send("/consent", fields)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "text/html" in answer.headers["content-type"]


def test_whoever_signed_out_meanwhile_signs_in_again(app: App, browser: Browser) -> None:
    browser.get(app.target())
    del browser.cookies["__Host-hourmark-session"]
    assert browser.send("/consent", {"decision": "allow"}).status_code == 403


def test_no_consent_without_the_form(app: App, browser: Browser) -> None:
    assert allow(browser, app.target()).status_code == 302
    assert browser.get("/consent").status_code == 405
