"""NUL, which PostgreSQL takes in no text, is refused on both databases before either is asked."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from tests.browsers import signed_in
from tests.clients import register
from tests.issuer.http.world import World
from verifier import strict_json

FORMS: list[tuple[str, dict[str, str]]] = [
    ("/v1/token", {"grant_type": "client_credentials", "client_id": "\0", "client_secret": "x"}),
    ("/v1/token", {"grant_type": "authorization_code", "code": "x", "client_id": "hma_\0"}),
    ("/v1/token", {"grant_type": "refresh_token", "refresh_token": "\0", "client_id": "hma_x"}),
    ("/v1/token", {"grant_type": "client_credentials", "\0": "x"}),
    ("/v1/device", {"client_id": "\0"}),
    ("/v1/introspect", {"client_id": "\0", "client_secret": "x", "token": "x"}),
    ("/v1/revoke", {"client_id": "\0", "client_secret": "x", "token": "x"}),
]


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_in_a_form(there: World, path: str, form: dict[str, str]) -> None:
    answer = there.nobody.post(path, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("user", ["\0", "%00", "hma_%00"])
@pytest.mark.parametrize("path", ["/v1/token", "/v1/device", "/v1/introspect", "/v1/revoke"])
def test_in_a_basic_header(there: World, path: str, user: str) -> None:
    header = "Basic " + base64.b64encode(f"{user}:x".encode()).decode()
    form = {"grant_type": "refresh_token", "token": "x", "refresh_token": "x"}
    answer = there.nobody.post(path, data=form, headers={"Authorization": header})
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_request", "invalid_client")


@pytest.mark.parametrize("changes", [{"sub": "\0", "iss": "\0"}, {"jti": "\0"}])
def test_in_an_assertion(there: World, changes: dict[str, Any]) -> None:
    claims = {"iss": "hma_x", "sub": "hma_x", "aud": there.url, "jti": "j", "exp": 4_000_000_000} | changes

    def encoded(value: object) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()

    text = f"{encoded({'alg': 'ES256', 'typ': 'JWT'})}.{encoded(claims)}.{'A' * 86}"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": text,
    }
    answer = there.nobody.post("/v1/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/apps", {"name": "app-x", "owner": "user:\0"}),
        ("/v1/jobs", {"role": "org.tests.x", "labels": {"\0": "x"}}),
        ("/v1/tokens", {"name": "x", "presets": ["read\0"]}),
    ],
)
def test_in_json(there: World, path: str, body: dict[str, Any]) -> None:
    answer = there.admin.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert strict_json.parse_object(answer.content)["errors"]


def test_in_the_request_and_the_forms_of_a_browser(there: World) -> None:
    app = register(there)
    with signed_in(there.issuer, "admin") as browser:
        for changes in ({"client_id": "\0"}, {"nonce": "\0"}, {"login_hint": "\0", "prompt": "login"}):
            assert browser.get(app.target(**changes)).status_code == 400
        for path, form in (
            ("/tokens/new", {"name": "\0"}),
            ("/account/identities/unlink", {"issuer": "\0", "subject": "x"}),
            ("/device", {"user_code": "\0"}),
        ):
            browser.get("/session")
            assert browser.send(path, form).status_code == 400
