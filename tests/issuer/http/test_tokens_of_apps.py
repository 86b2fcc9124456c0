"""What apps may ask of their tokens, and end: their own, and nobody else's (RFC 7662, RFC 7009)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.browsers import Browser
from tests.clients import App, claims, register
from tests.issuer.http.test_token_exchange import exchange
from tests.issuer.http.world import Key, World, bearer

OFFLINE = "offline_access data:get@*"


def ask(app: App, path: str, token: str, **form: str) -> httpx.Response:
    """As the app is registered."""
    named = {"token": token} | ({} if app.secret else {"client_id": app.client_id}) | form
    auth = httpx.BasicAuth(app.client_id, app.secret) if app.secret else httpx.Auth()
    return app.world.nobody.post(path, data=named, auth=auth)


def introspect(app: App, token: str) -> dict[str, Any]:
    answer = ask(app, "/v1/introspect", token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def revoke(app: App, token: str, **form: str) -> None:
    answer = ask(app, "/v1/revoke", token, **form)
    assert (answer.status_code, answer.content) == (200, b"")


def is_good(world: World, token: str) -> bool:
    return world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200


def test_an_app_asks_about_its_own(app: App, browser: Browser, ada: str) -> None:
    tokens = app.sign_in(browser, scope=OFFLINE)
    access, refresh = (introspect(app, tokens[f"{kind}_token"]) for kind in ("access", "refresh"))
    assert (access["active"], access["sub"], access["client_id"]) == (True, f"user:{ada}", app.client_id)
    assert refresh.pop("exp") > access["exp"]
    assert refresh.pop("iat") <= access["iat"]
    assert refresh == {
        "active": True,
        "client_id": app.client_id,
        "sub": f"user:{ada}",
        "scope": "data:get@* offline_access",
    }


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_to_another_app_nothing_is_said_and_nothing_ends(
    world: World, app: App, browser: Browser, kind: str
) -> None:
    tokens = app.sign_in(browser, scope=OFFLINE)
    for method in ("none", "client_secret_basic"):
        other = register(world, token_endpoint_auth_method=method)
        assert introspect(other, tokens[kind]) == {"active": False}
        revoke(other, tokens[kind])
    assert is_good(world, tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_used_refresh_token_is_inactive(app: App, browser: Browser) -> None:
    first = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    assert [introspect(app, token)["active"] for token in (first, second)] == [False, True]


@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "access_token"}, {"token_type_hint": "unknown"}])
def test_the_end_of_a_refresh_token_is_that_of_the_sign_in(
    world: World, app: App, browser: Browser, hint: dict[str, str]
) -> None:
    tokens = app.sign_in(browser, scope=OFFLINE)
    revoke(app, tokens["refresh_token"], **hint)
    assert not is_good(world, tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert introspect(app, tokens["refresh_token"]) == {"active": False}
    revoke(app, tokens["refresh_token"])


def test_the_end_of_an_access_token_leaves_the_sign_in(world: World, app: App, browser: Browser) -> None:
    """RFC 7009 section 2.1 leaves it to the server whether the refresh token goes on: here it does."""
    tokens = app.sign_in(browser, scope=OFFLINE)
    elsewhere = app.sign_in(browser, scope=OFFLINE)
    revoke(app, tokens["access_token"])
    assert not is_good(world, tokens["access_token"])
    assert is_good(world, app.refresh(tokens["refresh_token"]).json()["access_token"])
    assert is_good(world, elsewhere["access_token"]), "it is of another sign-in"


def test_what_was_narrowed_ends_with_what_it_came_from(world: World, app: App, browser: Browser) -> None:
    whole = app.sign_in(browser)["access_token"]
    narrowed = exchange(app, whole, scope="data:get@x")[1]["access_token"]
    revoke(app, narrowed)
    assert (is_good(world, narrowed), is_good(world, whole)) == (False, False)


def test_an_app_ends_what_it_got_on_behalf_of_a_user(world: World, browser: Browser) -> None:
    front, app = register(world), register(world, token_endpoint_auth_method="client_secret_basic")
    app.code(browser)
    users_token = front.sign_in(browser)["access_token"]
    acting = exchange(app, users_token)[1]["access_token"]
    assert introspect(app, acting)["act"] == claims(acting)["act"]
    revoke(app, acting)
    assert (is_good(world, acting), is_good(world, users_token)) == (False, True)
    assert exchange(app, users_token)[0] == 200, "the consent goes on"


def test_a_role_key_counts_as_the_app_that_its_role_is(world: World, browser: Browser) -> None:
    role = world.role("job:get@*")
    key, stranger = world.key(role), world.holder("job:get@*")
    app = register(world, token_endpoint_auth_method="client_secret_basic", role=role)
    tokens = app.sign_in(browser, scope=OFFLINE)

    def told(by: Key, path: str, token: str) -> httpx.Response:
        return world.nobody.post(path, data={"token": token}, auth=by.basic)

    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert told(key, "/v1/introspect", token).json()["client_id"] == app.client_id
        assert told(stranger, "/v1/introspect", token).status_code == 403
        told(stranger, "/v1/revoke", token)
    assert told(key, "/v1/introspect", world.token(stranger)).json() == {"active": False}
    assert is_good(world, tokens["access_token"])
    assert told(key, "/v1/revoke", tokens["access_token"]).status_code == 200
    assert not is_good(world, tokens["access_token"])
    again = app.refresh(tokens["refresh_token"]).json()
    assert told(key, "/v1/revoke", again["refresh_token"]).status_code == 200
    assert not is_good(world, again["access_token"])


@pytest.mark.parametrize("path", ["/v1/introspect", "/v1/revoke"])
def test_an_app_with_a_secret_shows_it(world: World, browser: Browser, path: str) -> None:
    app = register(world, token_endpoint_auth_method="client_secret_basic")
    token = app.sign_in(browser)["access_token"]
    nameless = world.nobody.post(path, data={"token": token})
    by_name = world.nobody.post(path, data={"token": token, "client_id": app.client_id})
    for answer in (nameless, by_name):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    auth = httpx.BasicAuth(app.client_id, app.secret or "")
    missing = world.nobody.post(path, data={"token_type_hint": "access_token"}, auth=auth)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    assert is_good(world, token)
