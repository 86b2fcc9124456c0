"""private_key_jwt: an app proves itself by a JWT that it signed for this request (RFC 7523 section 3)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from issuer.authentication import client_assertion
from keys import base64url
from keys.signing_key import SigningKey
from tests.clients import App, register
from tests.issuer.http.world import World

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRANT = {"grant_type": "client_credentials"}


@dataclass(frozen=True)
class Signing:
    """An app that is registered with keys, and the private halves by their algorithm."""

    app: App
    keys: dict[str, SigningKey]

    def assertion(
        self, /, algorithm: str = "ES256", header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """One that is good, but for `changes`; None leaves a member out."""
        now = time.time()
        claims = {
            "iss": self.app.client_id,
            "sub": self.app.client_id,
            "aud": self.app.world.url,
            "iat": int(now),
            "exp": int(now) + 60,
            "jti": uuid4().hex,
        }
        return signed(self.keys[algorithm], kept(claims | changes), header or {})

    def ask(self, assertion: str, **changes: str) -> httpx.Response:
        form = GRANT | {"client_assertion_type": TYPE, "client_assertion": assertion} | changes
        return self.app.world.nobody.post("/v1/token", data=form)


def kept(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def signed(key: SigningKey, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """With any header, as no library would write it."""
    members = kept({"alg": key.algorithm.name, "kid": key.kid, "typ": "JWT"} | header)
    parts = (base64url.encode(json.dumps(part).encode()) for part in (members, claims))
    signing_input = b".".join(parts)
    signature = key.algorithm.sign(key._private, signing_input)
    return (signing_input + b"." + base64url.encode(signature)).decode()


@pytest.fixture(scope="module")
def signing(world: World) -> Signing:
    keys = {name: SigningKey.generate(name) for name in ("ES256", "EdDSA", "RS256")}
    app = register(
        world,
        role=world.role("data:get@*"),
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.public_jwk for key in keys.values()]},
    )
    return Signing(app, keys)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_every_algorithm_that_is_used_here(signing: Signing, algorithm: str) -> None:
    answer = signing.ask(signing.assertion(algorithm))
    assert (answer.status_code, answer.json().get("scope")) == (200, "data:get@*"), answer.text


@pytest.mark.parametrize(
    "make",
    [
        lambda of: of.assertion(aud=f"{of.app.world.url}/v1/token"),
        lambda of: of.assertion(aud=[of.app.world.url]),
        lambda of: of.assertion(header={"typ": None}),
        lambda of: of.assertion(header={"typ": "client-authentication+jwt"}),
        lambda of: of.assertion(header={"kid": None}),
        lambda of: of.assertion(iat=None),
        lambda of: of.assertion(nbf=int(time.time())),
        lambda of: of.assertion(exp=int(time.time()) + 300),
        lambda of: of.assertion(exp=time.time() + 30.5),
        lambda of: of.assertion(jti="x" * 97 + uuid4().hex[:31]),
        # Where to find a key is for nobody but the registration to say.
        lambda of: of.assertion(header={"jku": "https://elsewhere.example/jwks", "x5u": "https://e.example"}),
    ],
)
def test_what_is_good_as_well(signing: Signing, make: Callable[[Signing], str]) -> None:
    answer = signing.ask(make(signing))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "hma_other"},
        {"sub": None},
        {"sub": "hma_other"},
        {"iss": "hma_nobody", "sub": "hma_nobody"},
        {"iss": ["a"], "sub": ["a"]},
        {"aud": None},
        {"aud": "https://elsewhere.example"},
        {"aud": []},
        {"aud": {"a": 1}},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": True},
        {"exp": 0},
        {"exp": 4102444800},
        {"iat": 4102444800},
        {"iat": "now"},
        {"nbf": 4102444800},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 129},
    ],
)
def test_claims_that_prove_nothing(signing: Signing, changes: dict[str, Any]) -> None:
    refused(signing.ask(signing.assertion(**changes)))


def test_of_several_audiences_another_one_could_use_it_here(signing: Signing) -> None:
    refused(signing.ask(signing.assertion(aud=[signing.app.world.url, "https://elsewhere.example"])))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": "dpop+jwt"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "EdDSA"},
        {"kid": "another"},
        {"crit": ["b64"], "b64": True},
        {"alg": None},
    ],
)
def test_headers_that_prove_nothing(signing: Signing, header: dict[str, Any]) -> None:
    refused(signing.ask(signing.assertion(header=header)))


def test_somebody_elses_signature(signing: Signing) -> None:
    """Also under the kid of a registered key, and with the key in the header."""
    stranger, registered = SigningKey.generate("ES256"), signing.keys["ES256"]
    forger = Signing(signing.app, {"ES256": stranger})
    for header in ({}, {"kid": registered.kid}, {"kid": None}, {"jwk": stranger.public_jwk}):
        refused(signing.ask(forger.assertion(header=header)))


def test_another_apps_key(world: World, signing: Signing) -> None:
    key = SigningKey.generate("ES256")
    other = register(world, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.public_jwk]})
    refused(signing.ask(Signing(signing.app, {"ES256": key}).assertion()))
    refused(signing.ask(Signing(other, signing.keys).assertion()))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "a.b.c.d", "x" * 4097, "\0"])
def test_what_is_no_jwt(signing: Signing, text: str) -> None:
    answer = signing.ask(text)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_request", "invalid_client")


def test_one_of_more_characters_than_any_library_writes(signing: Signing) -> None:
    refused(signing.ask(signing.assertion(padding="x" * 4096)))


def test_it_is_taken_once_whatever_else_changes(signing: Signing) -> None:
    first = signing.assertion(jti="once")
    assert signing.ask(first).status_code == 200
    refused(signing.ask(first))
    refused(signing.ask(signing.assertion("EdDSA", jti="once")))


def test_its_jti_is_remembered_for_as_long_as_it_is_good(signing: Signing) -> None:
    """Times may have fractions (RFC 7519 section 2); what is remembered of them has none."""
    now = time.time()
    read = client_assertion.read(signing.assertion(exp=int(now) + 30.5), [signing.app.world.url], now)
    assert read.expires_at == int(now) + 31


def test_a_forged_one_uses_no_jti_up(signing: Signing) -> None:
    forger = Signing(signing.app, {"ES256": SigningKey.generate("ES256")})
    refused(signing.ask(forger.assertion(jti="wanted")))
    assert signing.ask(signing.assertion(jti="wanted")).status_code == 200


def test_two_apps_may_choose_the_same_jti(world: World, signing: Signing) -> None:
    app = register(
        world,
        role=world.role("data:get@*"),
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [signing.keys["ES256"].public_jwk]},
    )
    for each in (signing, Signing(app, signing.keys)):
        assert each.ask(each.assertion(jti="shared")).status_code == 200


def test_each_app_authenticates_in_its_own_way_alone(world: World, signing: Signing) -> None:
    by_secret = register(
        world, role=world.role("data:get@*"), token_endpoint_auth_method="client_secret_basic"
    )
    by_name = register(world)
    for app in (by_secret, by_name):
        refused(signing.ask(Signing(app, signing.keys).assertion()))
    for data in ({"client_secret": "hmx_" + "0" * 38}, {}):
        form = {"client_id": signing.app.client_id, "token": "x"} | data
        refused(world.nobody.post("/v1/revoke", data=form))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": ""},
        {"client_id": "hma_other"},
        {"client_secret": "x"},
    ],
)
def test_a_form_that_says_two_things(signing: Signing, changes: dict[str, str]) -> None:
    answer = signing.ask(signing.assertion(), **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_the_form_may_repeat_who_asks(signing: Signing) -> None:
    assert signing.ask(signing.assertion(), client_id=signing.app.client_id).status_code == 200


def test_an_app_without_a_role_gets_nothing_for_itself(world: World) -> None:
    key = SigningKey.generate("ES256")
    app = register(world, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.public_jwk]})
    lone = Signing(app, {"ES256": key})
    answer = lone.ask(lone.assertion())
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
