"""An app on Authlib, which nobody here wrote, signs users in: by code, on a device, and again by refresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client

from tests.browsers import Browser, signed_in
from tests.clients import CALLBACK, allow, register
from tests.issuer.http.world import World
from tests.running_issuer import RunningIssuer, start_issuer

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid offline_access data:get@*"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("authlib")) as running:
        yield running


@pytest.fixture
def browser(world: World) -> Iterator[Browser]:
    with signed_in(world.issuer, "admin") as opened:
        yield opened


@pytest.fixture
def metadata(world: World) -> dict[str, Any]:
    return dict(world.nobody.get("/.well-known/openid-configuration").json())


def test_code_with_pkce_and_refresh(world: World, browser: Browser, metadata: dict[str, Any]) -> None:
    app = register(world, token_endpoint_auth_method="client_secret_basic")
    with OAuth2Client(
        app.client_id, app.secret, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    ) as client:
        verifier = "v" * 64
        url, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce="nonce-1"
        )
        back = allow(browser, url.removeprefix(world.url)).headers["location"]
        token = client.fetch_token(
            metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
        )
        keys = jwt.PyJWKClient(metadata["jwks_uri"])
        claims = jwt.decode(
            token["id_token"],
            keys.get_signing_key_from_jwt(token["id_token"]),
            algorithms=metadata["id_token_signing_alg_values_supported"],
            audience=app.client_id,
            issuer=world.url,
        )
        assert (claims["sub"], claims["nonce"]) == ("user:admin", "nonce-1")
        again = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        assert again["refresh_token"] != token["refresh_token"]
        assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == "user:admin"


def test_device(world: World, browser: Browser, metadata: dict[str, Any]) -> None:
    app = register(world)
    with OAuth2Client(app.client_id, token_endpoint_auth_method="none") as client:
        asked = {"client_id": app.client_id, "scope": SCOPE}
        begun = world.nobody.post(metadata["device_authorization_endpoint"], data=asked).json()
        browser.get("/device")
        browser.send("/device", {"user_code": begun["user_code"]})
        browser.send("/device/decision", {"decision": "allow"})
        token = client.fetch_token(
            metadata["token_endpoint"], grant_type=DEVICE, device_code=begun["device_code"]
        )
        assert token["scope"] == "data:get@* offline_access openid"
