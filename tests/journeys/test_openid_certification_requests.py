"""The certification of a provider goes on: prompts, ages, hints, request objects and redirect URIs."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from tests.browsers import Browser, signed_in
from tests.clients import App, allow, claims, register, returned
from tests.issuer.http.world import World
from tests.journeys import certified
from tests.journeys.certified import OPENID, USER, authenticate, id_token, told

world, client, browser = certified.world, certified.client, certified.browser
signed = certified.signed


# Parameters that are hints, and parameters that nobody knows.


@pytest.mark.parametrize(
    "hint",
    [
        *({"display": "page"}, {"display": "popup"}, {"ui_locales": "se fr"}, {"claims_locales": "se"}),
        *(
            {"acr_values": "1 2"},
            {"login_hint": USER},
            {"claims": '{"userinfo":{"name":{"essential":true}}}'},
        ),
        {"extra": "foobar"},
    ],
    ids=lambda hint: next(iter(hint)),
)
def test_hints_and_unknown_parameters_do_no_harm(client: App, signed: Browser, hint: dict[str, str]) -> None:
    assert id_token(client, signed, **hint)["sub"] == f"user:{USER}"


# Prompts.


def test_prompt_none_not_signed_in(client: App, browser: Browser) -> None:
    assert told(browser, client, prompt="none") == "login_required"


def test_prompt_none_signed_in(client: App, signed: Browser) -> None:
    first = id_token(client, signed)
    came = returned(signed.get(client.target(scope=OPENID, prompt="none")))
    again = claims(client.redeem(came["code"]).json()["id_token"])
    assert (first["sub"], first["auth_time"]) == (again["sub"], again["auth_time"])


def test_prompt_none_before_any_consent(client: App, signed: Browser) -> None:
    assert told(signed, client, prompt="none") == "consent_required"


def test_prompt_none_beside_another(client: App, signed: Browser) -> None:
    assert told(signed, client, prompt="none consent") == "invalid_request"


def test_prompt_login(client: App, signed: Browser) -> None:
    """The user proves again who it is, and `auth_time` says so."""
    first = id_token(client, signed)
    back = authenticate(signed, signed.get(client.target(scope=OPENID, prompt="login")))
    again = claims(client.redeem(returned(back)["code"]).json()["id_token"])
    assert again["sub"] == first["sub"]
    assert again["auth_time"] > first["auth_time"]


def test_prompt_select_account(client: App, signed: Browser) -> None:
    asked = signed.get(client.target(scope=OPENID, prompt="select_account"))
    assert authenticate(signed, asked).status_code == 200


def test_prompt_consent(client: App, signed: Browser) -> None:
    client.code(signed, scope=OPENID)
    assert signed.get(client.target(scope=OPENID)).status_code == 302
    assert signed.get(client.target(scope=OPENID, prompt="consent")).status_code == 200


# Ages.


def test_max_age_1(client: App, signed: Browser) -> None:
    """OP-Req-max_age=1: who signed in longer ago does so again."""
    first = id_token(client, signed)
    back = authenticate(signed, signed.get(client.target(scope=OPENID, max_age="1")))
    again = claims(client.redeem(returned(back)["code"]).json()["id_token"])
    assert again["auth_time"] > first["auth_time"]


def test_max_age_10000(client: App, signed: Browser) -> None:
    first = id_token(client, signed)
    again = id_token(client, signed, max_age="10000")
    assert again["auth_time"] == first["auth_time"]


def test_max_age_exceeded_with_prompt_none(client: App, signed: Browser) -> None:
    client.code(signed, scope=OPENID)
    assert told(signed, client, max_age="1", prompt="none") == "login_required"


# Hints at the user.


def test_id_token_hint(client: App, signed: Browser) -> None:
    hint = client.sign_in(signed, scope=OPENID)["id_token"]
    assert told(signed, client, prompt="none", id_token_hint=hint) == ""


def test_id_token_hint_of_somebody_else(world: World, client: App, signed: Browser) -> None:
    hint = client.sign_in(signed, scope=OPENID)["id_token"]
    with signed_in(world.issuer, "admin") as other:
        client.code(other, scope=OPENID)
        assert told(other, client, prompt="none", id_token_hint=hint) == "login_required"


def test_id_token_hint_that_somebody_else_signed(client: App, signed: Browser) -> None:
    said = id_token(client, signed)
    headers = {"kid": jwt.get_unverified_header(client.sign_in(signed, scope=OPENID)["id_token"])["kid"]}
    forged = jwt.encode(said, generate_private_key(SECP256R1()), algorithm="ES256", headers=headers)
    assert told(signed, client, prompt="none", id_token_hint=forged) == "login_required"


# Request objects.


def test_unsigned_request_object_is_refused(world: World, client: App, signed: Browser) -> None:
    unsigned = jwt.encode({"client_id": client.client_id, "aud": world.url}, "", algorithm="none")
    assert told(signed, client, request=unsigned) == "request_not_supported"


def test_request_uri_is_refused(client: App, signed: Browser) -> None:
    assert told(signed, client, request_uri="https://app.test/request.jwt") == "request_uri_not_supported"


def test_registration_parameter_is_refused(client: App, signed: Browser) -> None:
    assert told(signed, client, registration="{}") == "registration_not_supported"


# Redirect URIs.


def test_redirect_uri_not_registered(client: App, signed: Browser) -> None:
    answer = signed.get(client.target(redirect_uri="https://app.test/other"))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_redirect_uri_missing(client: App, signed: Browser) -> None:
    assert signed.get(client.target(redirect_uri=None)).status_code == 400


def test_redirect_uri_with_a_query_that_is_registered(world: World, signed: Browser) -> None:
    client = register(world, redirect_uris=["https://app.test/cb?foo=bar"])
    came = returned(allow(signed, client.target(scope=OPENID)))
    assert came["foo"] == "bar"
    assert client.redeem(came["code"]).status_code == 200


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("https://app.test/cb", "https://app.test/cb?foo=bar"),
        ("https://app.test/cb?foo=bar", "https://app.test/cb"),
        ("https://app.test/cb?foo=bar", "https://app.test/cb?foo=bar&more=1"),
    ],
)
def test_redirect_uri_with_another_query(world: World, signed: Browser, registered: str, asked: str) -> None:
    client = register(world, redirect_uris=[registered])
    answer = signed.get(client.target(redirect_uri=asked))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_redirect_uri_with_a_fragment_is_not_registered(world: World) -> None:
    body = {"name": "app-fragment", "scope": "openid", "redirect_uris": ["https://app.test/cb#foo"]}
    assert world.admin.post("/v1/apps", json=body).status_code == 422
