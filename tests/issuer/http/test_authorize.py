"""From a client to the user and back: the authorization code flow over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.browsers import Browser, signed_in
from tests.clients import CALLBACK, App, allow, register, returned
from tests.issuer.http.cases import case
from tests.issuer.http.world import World, bearer, made
from verifier import jws, strict_json


@pytest.fixture
def ada(world: World) -> str:
    """A user who holds a role that may get and put data."""
    name = f"u{uuid4().hex[:12]}"
    made(
        world.admin.post(
            "/v1/users", json={"name": name, "display_name": "Ada Lovelace", "email": "a@b.example"}
        )
    )
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("data:get@*", "data:put@a*")}))
    return name


@pytest.fixture
def browser(world: World, ada: str) -> Iterator[Browser]:
    with signed_in(world.issuer, ada) as opened:
        yield opened


@pytest.fixture(params=["none", "client_secret_basic"])
def app(request: pytest.FixtureRequest, world: World) -> App:
    return register(world, "data:get@*", token_endpoint_auth_method=request.param)


def claims(token: str) -> dict[str, object]:
    return strict_json.parse_object(jws.parse(token).payload)


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


@case("ac-reuse", "400", "invalid_grant")
def test_a_code_that_comes_again_ends_what_it_became(world: World, app: App, browser: Browser) -> None:
    code = app.code(browser)
    token = app.redeem(code).json()["access_token"]
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200
    again = app.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 401


@case("rf-replay", "400", "invalid_grant")
def test_refresh_rotates_and_reuse_ends_the_sign_in(world: World, app: App, browser: Browser) -> None:
    first = app.sign_in(browser, scope="offline_access data:get@*")
    second = app.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert world.nobody.get("/v1/me", headers=bearer(second["access_token"])).status_code == 200
    replayed = app.refresh(first["refresh_token"])
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert app.refresh(second["refresh_token"]).status_code == 400
    assert world.nobody.get("/v1/me", headers=bearer(second["access_token"])).status_code == 401


@case("rf-scope-up", "400", "invalid_scope")
def test_asking_for_more_at_refresh_uses_nothing_up(app: App, browser: Browser) -> None:
    token = app.sign_in(browser, scope="offline_access data:get@a")["refresh_token"]
    wider = app.refresh(token, scope="data:get@*")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    assert app.refresh(token, scope="data:get@a").json()["scope"] == "data:get@a"


def test_a_role_that_is_taken_is_gone_from_the_next_token(world: World, browser: Browser, ada: str) -> None:
    app = register(world, "data:get@* data:put@*")
    first = app.sign_in(browser, scope="offline_access openid data:get@*")
    (role,) = world.admin.get(f"/v1/users/{ada}/roles").json()["items"]
    assert world.admin.delete(f"/v1/users/{ada}/roles/{role['role']}").status_code == 200
    assert world.nobody.get("/v1/me", headers=bearer(first["access_token"])).status_code == 401
    assert app.refresh(first["refresh_token"]).json()["scope"] == "offline_access openid"


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


@case("ac-otherclient", "400", "invalid_grant")
def test_a_client_that_is_asked_for_by_another_gets_nothing(world: World, app: App, browser: Browser) -> None:
    code = app.code(browser)
    other = register(world)
    other.verifier = app.verifier
    answer = other.redeem(code, redirect_uri=CALLBACK)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert app.redeem(code).status_code == 400, "it is burnt"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": ""},
        {"code_verifier": "x" * 43},
        {"redirect_uri": "https://app.test/other"},
        {"redirect_uri": ""},
        {"code": "hmc_" + "0" * 38},
    ],
)
@case("ac-noverifier", "400", "invalid_grant")
@case("ac-wrongverifier", "400", "invalid_grant")
def test_what_does_not_go_with_the_code(app: App, browser: Browser, changes: dict[str, str]) -> None:
    answer = app.redeem(app.code(browser), **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@case("rf-disabled-user", "400", "invalid_grant")
def test_a_disabled_user_is_out_everywhere(world: World, app: App, browser: Browser, ada: str) -> None:
    tokens = app.sign_in(browser, scope="offline_access data:get@*")
    assert world.admin.post(f"/v1/users/{ada}/disable").status_code == 200
    assert world.nobody.get("/v1/me", headers=bearer(tokens["access_token"])).status_code == 401
    answer = app.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert browser.get(app.target()).status_code == 303


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
