"""ID tokens, signed as the app that they are for was registered."""

from __future__ import annotations

import hashlib

import jwt
import pytest

from keys import base64url
from tests.browsers import Browser
from tests.clients import register
from tests.issuer.http.world import World

HASHES = {"ES256": "sha256", "RS256": "sha256", "EdDSA": "sha512"}


@pytest.mark.parametrize("wanted", [None, "ES256", "RS256", "EdDSA"])
def test_an_app_has_them_signed_as_it_wants(world: World, browser: Browser, wanted: str | None) -> None:
    app = register(world, id_token_signed_response_alg=wanted)
    algorithm = wanted or "ES256"
    tokens = app.sign_in(browser, scope="openid data:get@*", nonce="n-1")
    keys = jwt.PyJWKSet.from_dict(world.nobody.get("/.well-known/jwks.json").json())
    raw = tokens["id_token"]
    read = jwt.decode(
        raw,
        keys[jwt.get_unverified_header(raw)["kid"]],
        [algorithm],
        audience=app.client_id,
        issuer=world.url,
    )
    assert read["nonce"] == "n-1"
    half = hashlib.new(HASHES[algorithm], tokens["access_token"].encode()).digest()
    assert read["at_hash"] == base64url.encode(half[: len(half) // 2]).decode()
    assert jwt.get_unverified_header(tokens["access_token"])["alg"] == "ES256", "as before"


def test_an_app_changes_its_mind(world: World, browser: Browser) -> None:
    app = register(world)
    wanted = {"id_token_signed_response_alg": "RS256"}
    assert world.admin.patch(f"/v1/apps/{app.name}", json=wanted).status_code == 200
    raw = app.sign_in(browser, scope="openid")["id_token"]
    assert jwt.get_unverified_header(raw)["alg"] == "RS256"
