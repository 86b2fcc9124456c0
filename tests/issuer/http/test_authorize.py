"""From a client to the user and back: the authorization code flow over HTTP."""

from __future__ import annotations

import hmac
import time
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from tests.browsers import Browser, inside, signed_in
from tests.clients import App, allow, claims, command_line, register, returned
from tests.issuer.http.cases import case
from tests.issuer.http.world import World, bearer


def test_a_user_agrees_and_the_app_acts_for_her(world: World, app: App, browser: Browser, ada: str) -> None:
    page = browser.get(app.target(scope="openid data:get@x"))
    assert page.status_code == 200
    for said in (app.name, "get data x", "never gets more than you can do", "app.test"):
        assert said in page.text
    told = returned(browser.send("/consent", {"decision": "allow"}))
    assert (told["state"], told["iss"]) == ("state-1", world.url)
    tokens = app.redeem(told["code"]).json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    said_of_her = claims(tokens["access_token"])
    assert said_of_her["sub"] == f"user:{ada}"
    assert said_of_her["client_id"] == app.client_id
    assert said_of_her["act"] == {"sub": app.client_id}
    assert said_of_her["scope"] == "data:get@x openid"
    me = world.nobody.get("/v1/me", headers=bearer(tokens["access_token"])).json()
    assert me["principal"] == f"user:{ada}"


def test_what_was_agreed_to_is_not_asked_again_and_more_shows_the_difference(
    world: World, browser: Browser
) -> None:
    app = register(world, "data:get@* data:put@*")
    app.code(browser, scope="data:get@a")
    assert browser.get(app.target(scope="data:get@a")).status_code == 302
    more = browser.get(app.target(scope="data:get@a data:put@a"))
    assert more.status_code == 200
    new, _, before = more.text.partition("You agreed to this before")
    assert ("put data a" in new, "get data a" in new) == (True, False)
    assert "get data a" in before


def test_denied(app: App, browser: Browser) -> None:
    browser.get(app.target())
    told = returned(browser.send("/consent", {"decision": "deny"}))
    assert (told["error"], told["state"]) == ("access_denied", "state-1")


def test_nobody_signed_in_goes_to_sign_in_and_comes_back(world: World, app: App) -> None:
    with Browser(world.url) as stranger:
        answer = stranger.get(app.target())
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/authorize")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "job:get@*"}, "invalid_scope"),
        ({"scope": "no@permission@"}, "invalid_scope"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"prompt": "none"}, "consent_required"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "ey.ey."}, "request_not_supported"),
        ({"request_uri": "https://app.test/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"dpop_jkt": "x"}, "invalid_request"),
        ({"cnf": "{}"}, "invalid_request"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"scope": "profile email"}, "invalid_scope"),
        ({"nonce": "n" * 513}, "invalid_request"),
    ],
)
@case("ac-plain", "302", "invalid_request")
@case("az-rtype", "302", "unsupported_response_type")
@case("az-rtype-missing", "302", "invalid_request")
def test_the_client_is_told_what_it_cannot_have(
    world: World, app: App, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    told = returned(browser.get(app.target(**changes)))
    assert (told["error"], told["state"], told["iss"]) == (error, "state-1", world.url)
    assert "code" not in told


@pytest.mark.parametrize(
    "uri",
    [
        *("https://app.test/cb/", "https://app.test/cb?x=1", "https://app.test/cb#f", "http://app.test/cb"),
        *("https://app.test@evil.test/cb", "javascript:alert(1)", "https://app.test:443/cb", "", "/cb"),
    ],
)
@case("az-badredirect", "400", "none")
@case("az-redir-0", "400", "none")
@case("az-redir-1", "400", "none")
@case("az-redir-2", "400", "none")
@case("az-redir-6", "400", "none")
@case("az-redir-13", "400", "none")
@case("az-redir-16", "400", "none")
def test_another_address_to_go_back_to_is_a_page(app: App, browser: Browser, uri: str) -> None:
    answer = browser.get(app.target(redirect_uri=uri))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "text/html" in answer.headers["content-type"]


def test_any_port_of_loopback_and_nothing_else(world: World, browser: Browser) -> None:
    app = register(world, redirect_uris=["http://127.0.0.1/cb"])
    for uri, status in {
        "http://127.0.0.1:49152/cb": 200,
        "http://127.0.0.1/cb": 200,
        "http://127.0.0.1:49152/cb/x": 400,
        "http://127.0.0.1:x/cb": 400,
        "http://127.0.0.2:49152/cb": 400,
        "http://localhost:49152/cb": 400,
        "https://127.0.0.1:49152/cb": 400,
    }.items():
        assert browser.get(app.target(redirect_uri=uri)).status_code == status, uri


@case("az-csrf-consent", "403", "none")
def test_another_sessions_form_token_lets_nobody_in(world: World, app: App, browser: Browser) -> None:
    browser.get(app.target())
    for csrf in ("", "x"):
        assert browser.send("/consent", {"decision": "allow"}, csrf=csrf).status_code == 403
    with Browser(world.url) as other:
        other.get("/login")
        foreign = other.hidden().get("csrf", "y")
    assert browser.send("/consent", {"decision": "allow"}, csrf=foreign).status_code == 403


def test_userinfo(world: World, app: App, browser: Browser, ada: str) -> None:
    token = app.sign_in(browser, scope="openid profile email")["access_token"]
    assert world.nobody.get("/v1/userinfo", headers=bearer(token)).json() == {
        "sub": f"user:{ada}",
        "preferred_username": ada,
        "name": "Ada Lovelace",
        "email": "a@b.example",
        "email_verified": False,
    }
    bare = app.sign_in(browser, scope="data:get@*")["access_token"]
    assert world.nobody.get("/v1/userinfo", headers=bearer(bare)).status_code == 403


def test_agreeing_to_the_same_again_is_no_second_consent(world: World, app: App, browser: Browser) -> None:
    for _ in range(2):
        assert "code" in returned(allow(browser, app.target(prompt="consent")))
    assert world.admin.delete(f"/v1/apps/{app.name}").status_code == 200
    assert browser.get(app.target()).status_code == 400


@pytest.mark.parametrize(
    ("more", "state"),
    [("scope=openid&scope=openid", "state-1"), ("nonce=1&nonce=2", "state-1"), ("x=&x=", "state-1")],
)
def test_a_parameter_that_is_there_twice(app: App, browser: Browser, more: str, state: str) -> None:
    told = returned(browser.get(f"{app.target()}&{more}"))
    assert (told["error"], told["state"]) == ("invalid_request", state)


def test_of_two_states_neither_goes_back(app: App, browser: Browser) -> None:
    told = returned(browser.get(f"{app.target()}&state=other"))
    assert (told["error"], told.get("state")) == ("invalid_request", None)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_two_clients_or_addresses_are_a_page(app: App, browser: Browser, name: str) -> None:
    for value in (app.client_id, app.redirect_uri):
        answer = browser.get(f"{app.target()}&{name}={value}")
        assert answer.status_code == 400
        assert "location" not in answer.headers


def test_an_app_without_permissions_says_what_it_asks_for(world: World, browser: Browser) -> None:
    app = register(world, "")
    assert returned(browser.get(app.target()))["error"] == "invalid_scope"
    assert browser.get(app.target(scope="openid")).status_code == 200


def test_a_form_leads_to_the_same_request(world: World, app: App, browser: Browser) -> None:
    path, _, query = app.target(scope="openid data:get@x").partition("?")
    answer = world.nobody.post(path, data=dict(parse_qsl(query)))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?{query}")
    assert browser.get(answer.headers["location"]).status_code == 200


def test_the_sign_in_form_begins_with_the_name_that_the_client_hints_at(world: World, app: App) -> None:
    with Browser(world.url) as stranger:
        shown = stranger.follow(stranger.get(app.target(login_hint='grace"><b>')))
    assert shown.status_code == 200
    assert 'value="grace&#34;&gt;&lt;b&gt;"' in shown.text


def again(browser: Browser, app: App, **changes: str) -> str:
    """Where an authorization request comes back to that sends the user to sign in once more."""
    answer = browser.get(app.target(**changes))
    assert answer.status_code == 303
    (then,) = parse_qs(urlsplit(answer.headers["location"]).query)["next"]
    return then


def test_signing_in_once_more_really_happens(world: World, app: App, ada: str) -> None:
    with signed_in(world.issuer, ada, at=int(time.time()) - 60) as browser:
        app.code(browser)
        then = again(browser, app, prompt="login")
        assert browser.get(then).status_code == 303, "it is the same session still"
    with signed_in(world.issuer, ada, at=int(time.time()) + 1) as later:
        assert "code" in returned(later.get(then))
        assert later.get(app.target(prompt="login")).status_code == 303, "it was for one request"
        for changed in (then.replace("state-1", "state-2"), then[:-1] + "0g"):
            assert later.get(changed).status_code == 303, "it was for this request"


def test_whoever_signs_in_must_be_whom_the_hint_names(world: World, app: App, browser: Browser) -> None:
    hint = app.sign_in(browser, scope="openid")["id_token"]
    assert "code" in returned(browser.get(app.target(scope="openid", id_token_hint=hint)))
    with signed_in(world.issuer, "admin") as other:
        then = again(other, app, scope="openid", id_token_hint=hint)
        told = returned(other.get(app.target(scope="openid", id_token_hint=hint, prompt="none")))
        assert told["error"] == "login_required"
    with signed_in(world.issuer, "admin", at=int(time.time()) + 1) as other:
        assert returned(other.get(then))["error"] == "login_required"


def test_the_command_line_is_let_in_by_who_proved_it_a_moment_ago(world: World, ada: str) -> None:
    """What it gets may all that the pages ask a fresh proof for."""
    with signed_in(world.issuer, ada, at=int(time.time()) - 1000) as browser:
        answer = browser.get(command_line(world).target())
        assert answer.headers["location"].startswith("/login?next=/authorize")
        assert browser.get(register(world).target()).status_code == 200


def test_a_kept_link_lets_the_command_line_in_no_later(world: World, ada: str) -> None:
    """It says since when somebody has proved who it is: long enough for an app, and not for this."""
    with Browser(world.url) as nobody:
        first, other = (
            dict(parse_qsl(urlsplit(nobody.get(app.target(max_age=age)).headers["location"]).query))["next"]
            for app, age in ((command_line(world), None), (register(world), "60"))
        )
    with signed_in(world.issuer, ada, at=int(time.time()) - 1000) as browser:
        stale = time.time() - 2000
        with_moment = [kept_since(world, target, int(stale)) for target in (first, other)]
        assert browser.get(with_moment[0]).headers["location"].startswith("/login?next=/authorize")
        assert browser.get(with_moment[1]).status_code == 200


def kept_since(world: World, target: str, moment: int) -> str:
    """The link to come back by, as it was given at that time."""
    query = target.partition("?")[2].rpartition("&hourmark_moment=")[0]
    with inside(world.issuer) as there:
        seal = hmac.digest(there.hash_key, f"moment\0{moment}\0{query}".encode(), "sha256").hex()
    return f"/authorize?{query}&hourmark_moment={moment}.{seal}"
