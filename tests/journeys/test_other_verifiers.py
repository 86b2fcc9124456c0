"""Verifiers that nobody here wrote: they know the issuer's address, accept its tokens and refuse others."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from keys import RoleKey
from tests.journeys.client import READ, SERVICES, Client
from tests.running_issuer import RunningIssuer, start_issuer

NODE = Path(__file__).parent / "node"
REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "client_id", "scope"]
ELSEWHERE = "https://elsewhere.example"


@pytest.fixture(scope="module", params=["ES256", "EdDSA", "RS256"])
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def issuer(algorithm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    """An issuer that was set to one algorithm before its first key. Any database will do."""
    folder = tmp_path_factory.mktemp("issuer")
    with start_issuer(folder, HOURMARKD_ALGORITHM=algorithm) as running:
        yield running


@pytest.fixture
def key(here: Client) -> RoleKey:
    return here.new_key(here.new_role(READ))


def altered(token: str) -> str:
    """The same token with another subject under the old signature."""
    header, payload, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False}) | {"sub": "user:admin"}
    payload = jwt.utils.base64url_encode(json.dumps(claims).encode()).decode()
    return f"{header}.{payload}.{signature}"


def test_pyjwt(issuer: RunningIssuer, algorithm: str, here: Client, key: RoleKey) -> None:
    metadata = here.ask("GET", "/.well-known/openid-configuration").json()
    key_set = jwt.PyJWKClient(metadata["jwks_uri"])

    def decode(token: str) -> Any:
        return jwt.decode(
            token,
            key_set.get_signing_key_from_jwt(token),
            algorithms=metadata["id_token_signing_alg_values_supported"],
            issuer=metadata["issuer"],
            audience=SERVICES,
            options={"require": REQUIRED},
        )

    token = here.token(key)
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    claims = decode(token)
    assert (claims["client_id"], claims["scope"]) == (key.access, READ)
    assert claims["exp"] - claims["iat"] == 3600
    with pytest.raises(jwt.InvalidSignatureError):
        decode(altered(token))
    with pytest.raises(jwt.InvalidAudienceError):
        decode(here.token(key, resource=issuer.url))


def test_jose(issuer: RunningIssuer, algorithm: str, here: Client, key: RoleKey) -> None:
    if shutil.which("node") is None:
        pytest.skip("no node: install it")
    if not (NODE / "node_modules" / "jose").is_dir():
        pytest.skip("jose is not installed: npm ci --prefix tests/journeys/node")

    def verify(token: str, audience: str = SERVICES) -> tuple[int, str]:
        command = ["node", str(NODE / "verify.mjs"), issuer.url, audience]
        done = subprocess.run(command, input=token, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    token = here.token(key)
    code, out = verify(token)
    assert code == 0, out
    seen = json.loads(out)
    assert seen["alg"] == algorithm
    assert (seen["payload"]["client_id"], seen["payload"]["scope"]) == (key.access, READ)
    assert verify(altered(token)) == (3, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED")
    assert verify(token, ELSEWHERE) == (3, "ERR_JWT_CLAIM_VALIDATION_FAILED")
