"""An app on npm's openid-client, which nobody here wrote, signs users in with the issuer's address alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from tests.browsers import Browser, signed_in
from tests.clients import CALLBACK, App, allow, register
from tests.issuer.http.world import World, bearer
from tests.running_issuer import RunningIssuer, start_issuer

NODE = Path(__file__).parent / "node"
SCOPE = "openid profile offline_access data:get@*"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("openid-client")) as running:
        yield running


@pytest.fixture
def browser(world: World) -> Iterator[Browser]:
    """In which the first user is signed in, who may do everything."""
    with signed_in(world.issuer, "admin") as opened:
        yield opened


def key_pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """A private JWK and its public half."""
    private: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(
        generate_private_key(SECP256R1()), as_dict=True
    ) | {"kid": "app-1"}
    return private, {name: value for name, value in private.items() if name != "d"}


class Script:
    """The app, as a process that talks a line of JSON at a time."""

    def __init__(self, asked: dict[str, Any]) -> None:
        if shutil.which("node") is None:
            pytest.skip("no node: install it")
        if not (NODE / "node_modules" / "openid-client").is_dir():
            pytest.skip("openid-client is not installed: npm ci --prefix tests/journeys/node")
        self._process = subprocess.Popen(
            ["node", NODE / "sign_in.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.write(json.dumps(asked))

    def write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        return dict(json.loads(line))

    def end(self) -> None:
        self._process.communicate(timeout=20)


def asked_of(app: App, authentication: str, **members: Any) -> dict[str, Any]:
    return {
        "issuer": app.world.url,
        "client_id": app.client_id,
        "secret": app.secret,
        "authentication": authentication,
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "narrower": "data:get@x",
    } | members


def expect_all_of_it(app: App, told: dict[str, Any]) -> None:
    assert told["claims"]["sub"] == told["user"]["sub"] == "user:admin"
    assert told["claims"]["aud"] == app.client_id
    assert told["user"]["preferred_username"] == "admin"
    assert (told["seen"]["active"], told["seen"]["client_id"]) == (True, app.client_id)
    assert told["narrowed"] == "data:get@x"
    assert (told["after"], told["refused"]) == ({"active": False}, "invalid_grant")


@pytest.mark.parametrize(
    "authentication", ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
)
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_code_and_what_follows(world: World, browser: Browser, authentication: str, algorithm: str) -> None:
    private, public = key_pair()
    members: dict[str, Any] = {
        "token_endpoint_auth_method": authentication.replace("_post", "_basic"),
        "id_token_signed_response_alg": algorithm,
    }
    if authentication == "private_key_jwt":
        members["jwks"] = {"keys": [public]}
    app = register(world, "data:get@*", **members)
    script = Script(asked_of(app, authentication, flow="code", jwk=private))
    target = script.read()["url"].removeprefix(world.url)
    script.write(allow(browser, target).headers["location"])
    expect_all_of_it(app, script.read())
    script.end()


def test_device_and_what_follows(world: World, browser: Browser) -> None:
    app = register(world, "data:get@*")
    script = Script(asked_of(app, "none", flow="device"))
    begun = script.read()
    browser.get(begun["verification_uri_complete"].removeprefix(world.url))
    browser.send("/device", {"user_code": begun["user_code"]})
    assert browser.send("/device/decision", {"decision": "allow"}).status_code == 200
    script.write("approved")
    expect_all_of_it(app, script.read())
    script.end()


def test_an_app_acts_for_itself_as_its_role(world: World) -> None:
    private, public = key_pair()
    role = world.role("data:get@*")
    app = register(world, role=role, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public]})
    signer = jwt.PyJWK(private).key

    def assertion(**changes: Any) -> str:
        claims = {
            "iss": app.client_id,
            "sub": app.client_id,
            "aud": world.url,
            "exp": int(time()) + 60,
            "jti": "once",
        }
        return jwt.encode(claims | changes, signer, algorithm="ES256", headers={"kid": "app-1"})

    def ask(text: str) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": text,
        }
        answer = world.nobody.post("/v1/token", data=form)
        return answer.status_code, answer.json()

    status, answer = ask(assertion())
    assert (status, answer["scope"]) == (200, "data:get@*")
    me = world.nobody.get("/v1/me", headers=bearer(answer["access_token"])).json()
    assert (me["principal"], me["client_id"]) == (f"role:{role}", app.client_id)
    assert ask(assertion())[0] == 401, "its jti came before"
    for changes in (
        {"jti": "2", "aud": "https://elsewhere.example"},
        {"jti": "3", "exp": int(time()) - 1},
        {"jti": "4", "exp": int(time()) + 3600},
        {"jti": "5", "sub": "hma_other"},
        {"jti": ""},
    ):
        assert ask(assertion(**changes))[0] == 401, changes
