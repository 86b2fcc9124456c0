"""Redeeming an authorization code: once, by its own client, while all that it stands for holds."""

from __future__ import annotations

import httpx
import pytest

from tests.browsers import Browser
from tests.clients import CALLBACK, App, claims, register
from tests.issuer.http.cases import case
from tests.issuer.http.world import OTHER, SERVICES, World, bearer


@case("ac-reuse", "400", "invalid_grant")
def test_a_code_that_comes_again_ends_what_it_became(world: World, app: App, browser: Browser) -> None:
    code = app.code(browser)
    token = app.redeem(code).json()["access_token"]
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200
    again = app.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 401


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


def refused(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(("length", "status"), [(42, 400), (43, 200), (128, 200), (129, 400)])
def test_how_long_a_verifier_is(app: App, browser: Browser, length: int, status: int) -> None:
    app.verifier = "v" * length
    assert app.redeem(app.code(browser)).status_code == status


@pytest.mark.parametrize(
    ("room", "button"), [("/session", "Sign out everywhere"), ("/authorised-apps", "Withdraw")]
)
def test_what_its_user_ended_since(app: App, browser: Browser, room: str, button: str) -> None:
    code = app.code(browser)
    assert browser.press(button, on=room).status_code == 303
    refused(app.redeem(code), 400, "invalid_grant")


def test_of_a_user_who_was_disabled_since(world: World, app: App, browser: Browser, ada: str) -> None:
    code = app.code(browser)
    assert world.admin.post(f"/v1/users/{ada}/disable").status_code == 200
    refused(app.redeem(code), 400, "invalid_grant")


@pytest.mark.parametrize(
    ("app", "form", "auth"),
    [
        ("client_secret_basic", {}, None),
        ("client_secret_basic", {"client_id": "own"}, None),
        ("client_secret_basic", {"client_id": "own", "client_secret": "hmx_wrong"}, None),
        ("client_secret_basic", {}, "hmx_wrong"),
        ("none", {}, "hmx_wrong"),
        ("none", {"client_id": "own", "client_secret": "hmx_wrong"}, None),
        ("none", {"client_id": "nobody"}, None),
    ],
    indirect=["app"],
)
def test_who_is_not_the_client_uses_nothing_up(
    app: App, browser: Browser, form: dict[str, str], auth: str | None
) -> None:
    code = app.code(browser)
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK} | form
    asked |= {"code_verifier": app.verifier}
    asked |= {"client_id": app.client_id} if form.get("client_id") == "own" else {}
    proof = httpx.BasicAuth(app.client_id, auth) if auth else httpx.Auth()
    refused(app.world.nobody.post("/v1/token", data=asked, auth=proof), 401, "invalid_client")
    assert app.redeem(code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"audience": "https://unknown.example"}, "invalid_target"),
        ({"resource": SERVICES, "audience": OTHER}, "invalid_target"),
        ({"dpop_jkt": "x"}, "invalid_request"),
        ({"cnf": "{}"}, "invalid_request"),
    ],
)
def test_what_can_be_mended_uses_nothing_up(
    app: App, browser: Browser, changes: dict[str, str], error: str
) -> None:
    code = app.code(browser)
    refused(app.redeem(code, **changes), 400, error)
    assert app.redeem(code).status_code == 200


def test_a_proof_of_possession_is_refused_clearly(app: App) -> None:
    asked = {"grant_type": "authorization_code", "code": "x", "client_id": app.client_id}
    answer = app.world.nobody.post("/v1/token", data=asked, headers={"DPoP": "ey.ey.x"})
    refused(answer, 400, "invalid_request")
    assert "proof of possession" in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("authorized", "redeemed", "audience"),
    [
        ({}, {}, SERVICES),
        ({"resource": OTHER}, {}, OTHER),
        ({"audience": OTHER}, {"resource": SERVICES}, SERVICES),
    ],
)
def test_which_service_the_token_is_for(
    app: App, browser: Browser, authorized: dict[str, str], redeemed: dict[str, str], audience: str
) -> None:
    answer = app.redeem(app.code(browser, **authorized), **redeemed)
    assert claims(answer.json()["access_token"])["aud"] == audience


def test_an_app_that_wants_less_by_now_gets_less(world: World, browser: Browser) -> None:
    app = register(world, "data:get@* data:put@*")
    code = app.code(browser)
    changed = world.admin.patch(f"/v1/apps/{app.name}", json={"scope": "data:get@*"})
    assert changed.status_code == 200, changed.text
    assert app.redeem(code).json()["scope"] == "data:get@*"
