"""Refreshing: a sign-in goes on, with the rights that its user has by now."""

from __future__ import annotations

import httpx
import pytest

from issuer.store.tables import UserGrant
from tests.browsers import Browser
from tests.clients import App, claims, register
from tests.issuer.http.cases import case
from tests.issuer.http.test_http_cases_people import let_expire
from tests.issuer.http.world import OTHER, SERVICES, World, bearer

OFFLINE = "offline_access data:get@*"


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


@case("rf-disabled-user", "400", "invalid_grant")
def test_a_disabled_user_is_out_everywhere(world: World, app: App, browser: Browser, ada: str) -> None:
    tokens = app.sign_in(browser, scope="offline_access data:get@*")
    assert world.admin.post(f"/v1/users/{ada}/disable").status_code == 200
    assert world.nobody.get("/v1/me", headers=bearer(tokens["access_token"])).status_code == 401
    answer = app.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert browser.get(app.target()).status_code == 303


def refused(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_used_one_that_asks_for_more_ends_the_sign_in_all_the_same(app: App, browser: Browser) -> None:
    first = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    refused(app.refresh(first, scope="job:get@*"), 400, "invalid_grant")
    refused(app.refresh(second), 400, "invalid_grant")


def test_another_client_does_not_hear_what_was_granted(world: World, app: App, browser: Browser) -> None:
    token = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    refused(register(world).refresh(token, scope="job:get@*"), 400, "invalid_grant")


def test_less_is_for_this_token_alone(app: App, browser: Browser) -> None:
    first = app.sign_in(browser, scope=OFFLINE)
    less = app.refresh(first["refresh_token"], scope="data:get@x").json()
    assert less["scope"] == "data:get@x"
    assert app.refresh(less["refresh_token"]).json()["scope"] == "data:get@* offline_access"


def test_without_rights_and_openid_there_is_no_token_until_there_are_some(
    world: World, app: App, browser: Browser, ada: str
) -> None:
    token = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    (role,) = world.admin.get(f"/v1/users/{ada}/roles").json()["items"]
    assert world.admin.delete(f"/v1/users/{ada}/roles/{role['role']}").status_code == 200
    refused(app.refresh(token), 400, "invalid_scope")
    assert world.admin.post(f"/v1/users/{ada}/roles", json={"role": role["role"]}).status_code == 201
    assert app.refresh(token).status_code == 200


def test_the_next_token_is_for_the_service_of_the_first(app: App, browser: Browser) -> None:
    first = app.sign_in(browser, scope=OFFLINE, resource=OTHER)
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"], resource=SERVICES).json()
    fourth = app.refresh(third["refresh_token"]).json()
    services = [claims(each["access_token"])["aud"] for each in (first, second, third, fourth)]
    assert services == [OTHER, OTHER, SERVICES, OTHER]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"scope": "no@permission@"}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"cnf": "{}"}, "invalid_request"),
    ],
)
def test_what_can_be_mended_uses_nothing_up(
    app: App, browser: Browser, changes: dict[str, str], error: str
) -> None:
    token = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    refused(app.refresh(token, **changes), 400, error)
    assert app.refresh(token).status_code == 200


def test_who_the_user_is_stays_as_it_was(app: App, browser: Browser) -> None:
    first = app.sign_in(browser, scope=f"openid {OFFLINE}", nonce="n-1")
    second = app.refresh(first["refresh_token"]).json()
    before, after = claims(first["id_token"]), claims(second["id_token"])
    assert (before.pop("nonce"), after.get("nonce")) == ("n-1", None)
    for name in ("iss", "sub", "aud", "auth_time", "amr"):
        assert before[name] == after[name], name


def test_a_confidential_client_proves_itself(world: World, browser: Browser) -> None:
    app = register(world, token_endpoint_auth_method="client_secret_basic")
    token = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": app.client_id}
    refused(world.nobody.post("/v1/token", data=form), 401, "invalid_client")
    assert app.refresh(token).status_code == 200


def test_a_sign_in_has_an_end(world: World, app: App, browser: Browser) -> None:
    token = app.sign_in(browser, scope=OFFLINE)["refresh_token"]
    let_expire(world, UserGrant, app.client_id)
    refused(app.refresh(token), 400, "invalid_grant")


@pytest.mark.parametrize("token", ["", "x", "hmr_" + "0" * 38])
def test_what_is_no_refresh_token(app: App, token: str) -> None:
    refused(app.refresh(token), 400, "invalid_grant" if token else "invalid_request")
