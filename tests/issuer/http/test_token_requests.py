"""What a client may ask for with its role key, and what it gets."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from issuer.mint import MAX_CHARACTERS
from tests.issuer.http.world import OTHER, SERVICES, Key, World
from verifier import Verifier

# name: who holds what, what is asked for, and what is granted (None: invalid_scope)
SCOPES: dict[str, tuple[list[str], str | None, str | None]] = {
    "nothing asked for": (["data:get@*", "app:query@*"], None, "app:query@* data:get@*"),
    "an empty parameter is none": (["data:get@*"], "", "data:get@*"),
    "all of it": (["data:get@*", "app:query@*"], "data:get@* app:query@*", "app:query@* data:get@*"),
    "one of two": (["data:get@*", "app:query@*"], "data:get@*", "data:get@*"),
    "one resource": (["data:get@*"], "data:get@my-set", "data:get@my-set"),
    "a prefix": (["data:get@*"], "data:get@team/*", "data:get@team/*"),
    "more than the prefix": (["data:get@team/*"], "data:get@*", "data:get@team/*"),
    "one verb": (["job:*@*"], "job:get@*", "job:get@*"),
    "more verbs": (["job:get@*"], "job:*@*", "job:get@*"),
    "everything": (["data:get@a"], "*", "data:get@a"),
    "a label is kept": (["app:query@*[group=A]"], "app:query@my-app", "app:query@my-app[group=A]"),
    "a label is added": (["app:query@*"], "app:query@*[group=A]", "app:query@*[group=A]"),
    "labels meet": (["app:query@*[group=A]"], "app:query@*[team=x]", "app:query@*[group=A,team=x]"),
    "labels contradict": (["app:query@*[group=A]"], "app:query@*[group=B]", None),
    "another resource": (["data:get@a"], "data:get@b", None),
    "another verb": (["data:get@*"], "data:put@*", None),
    "some of it": (["data:get@a"], "data:get@a data:get@b openid", "data:get@a"),
    "a word of others": (["data:get@*"], "openid", None),
    "only spaces": (["data:get@*"], "   ", None),
    "no permission form": (["data:get@*"], "data:get@[broken", None),
    "an unusual character": (["data:get@*"], 'data:get@* "x"', None),
    "too long": (["data:get@*"], "data:get@" + "a" * 9000, None),
    "a role without permissions": ([], None, None),
}


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


@pytest.mark.parametrize("name", SCOPES)
def test_granted_is_what_is_held_and_asked_for(world: World, name: str) -> None:
    held, asked, granted = SCOPES[name]
    answer = world.exchange(world.holder(*held), **({} if asked is None else {"scope": asked}))
    if granted is None:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        assert answer.json()["error_description"]
        return
    assert (answer.status_code, answer.json()["scope"]) == (200, granted)
    assert claims_of(answer.json()["access_token"])["scope"] == granted


@pytest.mark.parametrize(
    ("narrowed_to", "asked", "is_whole"),
    [
        (None, None, True),
        (None, "data:get@* app:query@*[group=A]", True),
        (None, "*", True),
        ("*", None, True),
        ("app:*@* data:get@*", None, True),
        (None, "data:get@*", False),
        (None, "data:get@* app:query@x", False),
        ("data:get@*", None, False),
        ("data:get@*", "*", False),
    ],
)
def test_the_role_is_named_when_its_whole_permissions_are_carried(
    world: World, narrowed_to: str | None, asked: str | None, *, is_whole: bool
) -> None:
    role = world.role("data:get@*", "app:query@*[group=A]")
    key = world.key(role, scope=narrowed_to)
    token = world.token(key, **({} if asked is None else {"scope": asked}))
    assert claims_of(token)["roles"] == ([role] if is_whole else [])


def test_a_role_that_gains_a_permission_gains_it_for_its_keys_at_once(world: World) -> None:
    key = world.holder("data:get@*")
    assert world.exchange(key).json()["scope"] == "data:get@*"
    world.admin.post(f"/v1/roles/{key.role}/policies", json={"permission": "data:put@*"})
    answer = world.exchange(key)
    assert answer.json()["scope"] == "data:get@* data:put@*"
    assert claims_of(answer.json()["access_token"])["roles"] == [key.role]


@pytest.mark.parametrize(
    ("form", "audience"),
    [
        ({}, SERVICES),
        ({"resource": "", "audience": ""}, SERVICES),
        ({"resource": SERVICES}, SERVICES),
        ({"resource": OTHER}, OTHER),
        ({"audience": OTHER}, OTHER),
        ({"resource": OTHER, "audience": OTHER}, OTHER),
        ({"resource": "{issuer}"}, "{issuer}"),
    ],
)
def test_a_token_is_for_the_service_that_was_asked_for(
    world: World, form: dict[str, str], audience: str
) -> None:
    filled = {name: value.format(issuer=world.url) for name, value in form.items()}
    token = world.token(world.holder("data:get@*"), **filled)
    assert claims_of(token)["aud"] == audience.format(issuer=world.url)


@pytest.mark.parametrize(
    "form",
    [
        {"resource": "https://unknown.example"},
        {"audience": "https://unknown.example"},
        {"resource": f"{OTHER}/"},
        {"resource": OTHER.upper()},
        {"resource": f"{OTHER} {SERVICES}"},
        {"resource": OTHER, "audience": SERVICES},
        {"resource": "*"},
    ],
)
def test_an_unknown_service_is_an_invalid_target_that_names_the_known_ones(
    world: World, form: dict[str, str]
) -> None:
    answer = world.exchange(world.holder("data:get@*"), **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
    assert OTHER in answer.json()["error_description"]


def test_a_token_that_would_be_too_long_is_refused_with_advice(world: World) -> None:
    key = world.holder(*(f"data:get@{number:02}{'x' * 200}" for number in range(25)))
    answer = world.exchange(key)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert "ask for less" in answer.json()["error_description"]
    token = world.token(key, scope="data:get@01* data:get@02*")
    assert len(token) <= MAX_CHARACTERS


def test_the_claims_are_those_of_the_contract(world: World) -> None:
    key = world.holder("data:get@*")
    before = int(time.time())
    answer = world.exchange(key).json()
    after = int(time.time())
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    token = answer["access_token"]
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "ES256", "kid": header["kid"], "typ": "at+jwt"}
    published = world.nobody.get("/.well-known/jwks.json").json()["keys"]
    assert header["kid"] in {jwk["kid"] for jwk in published}
    claims = claims_of(token)
    assert before <= claims["iat"] <= after
    index = claims["status"]["status_list"]["idx"]
    assert claims == {
        "iss": world.url,
        "aud": SERVICES,
        "sub": f"role:{key.role}",
        "client_id": key.access,
        "roles": [key.role],
        "scope": "data:get@*",
        "status": {"status_list": {"idx": index, "uri": f"{world.url}/status/1"}},
        "iat": claims["iat"],
        "exp": claims["iat"] + 3600,
        "jti": claims["jti"],
    }


def test_no_two_tokens_have_one_id_and_those_of_one_secret_share_their_index(world: World) -> None:
    key, other = world.holder("data:get@*"), world.holder("data:get@*")
    tokens = [claims_of(world.token(key)) for _ in range(50)]
    assert len({token["jti"] for token in tokens}) == 50
    assert all(len(token["jti"]) >= 16 for token in tokens)
    assert len({token["status"]["status_list"]["idx"] for token in tokens}) == 1
    assert claims_of(world.token(other))["status"] != tokens[0]["status"]


def test_a_user_has_tokens_without_roles(world: World) -> None:
    access, _, secret = world.issuer.admin_key.partition(":")
    claims = claims_of(world.token(Key("", access, secret)))
    assert (claims["sub"], claims["roles"], claims["scope"]) == ("user:admin", [], "*")


@pytest.mark.parametrize(("seconds", "ends"), [(600, "key"), (7200, "hour")])
def test_a_token_ends_with_its_role_key(world: World, seconds: int, ends: str) -> None:
    ends_at = int(time.time()) + seconds
    role = world.role("data:get@*")
    key = world.key(role, expires_at=datetime.fromtimestamp(ends_at, UTC).isoformat())
    answer = world.exchange(key).json()
    claims = claims_of(answer["access_token"])
    assert claims["exp"] == (ends_at if ends == "key" else claims["iat"] + 3600)
    assert answer["expires_in"] == claims["exp"] - claims["iat"]


def test_a_token_of_an_old_secret_ends_with_its_grace(world: World) -> None:
    key = world.holder("data:get@*")
    before = int(time.time())
    renewed = world.admin.post(f"/v1/roles/{key.role}/keys/{key.access}/renew", json={"grace_seconds": 300})
    after = int(time.time())
    assert before + 300 <= claims_of(world.token(key))["exp"] <= after + 300
    fresh = claims_of(world.token(Key(key.role, key.access, renewed.json()["secret"])))
    assert fresh["exp"] == fresh["iat"] + 3600


def test_stock_pyjwt_and_our_verifier_accept_the_token(world: World) -> None:
    key = world.holder("app:query@*[group=A]")
    token = world.token(key)
    jwk = jwt.PyJWKClient(f"{world.url}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token,
        jwk,
        algorithms=["ES256"],
        audience=SERVICES,
        issuer=world.url,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]},
    )
    with Verifier(world.url, SERVICES) as verifier:
        verified = verifier.verify(token)
    verified.require("app:query", "my-app", labels={"group": "A"})
    assert (verified.subject, verified.client_id, verified.roles) == (
        claims["sub"],
        key.access,
        (key.role,),
    )
