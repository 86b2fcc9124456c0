"""Apps for tests: registered through the API, and asking as clients do."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import httpx

from tests.browsers import Browser
from tests.issuer.http.world import World, bearer, made
from verifier import jws, strict_json

CALLBACK = "https://app.test/cb"


@dataclass
class App:
    """One that is registered, and its side of the protocol."""

    world: World
    name: str
    client_id: str
    secret: str | None = field(repr=False)
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def target(self, **changes: str | None) -> str:
        """The path of an authorization request; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "state": "state-1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        asked |= changes
        return f"/authorize?{urlencode({name: text for name, text in asked.items() if text is not None})}"

    def ask(self, data: dict[str, str], world: World | None = None) -> httpx.Response:
        """At the token endpoint, authenticated as the app is registered."""
        form = data if self.secret else {"client_id": self.client_id, **data}
        auth = httpx.BasicAuth(self.client_id, self.secret) if self.secret else httpx.Auth()
        return (world or self.world).nobody.post("/v1/token", data=form, auth=auth)

    def redeem(self, code: str, /, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.ask(form | changes)

    def refresh(self, token: str, **changes: str) -> httpx.Response:
        return self.ask({"grant_type": "refresh_token", "refresh_token": token} | changes)

    def code(self, browser: Browser, **changes: str | None) -> str:
        """What the user's browser brings once the user has agreed."""
        return returned(allow(browser, self.target(**changes)))["code"]

    def sign_in(self, browser: Browser, **changes: str | None) -> dict[str, Any]:
        """The whole way; returns the tokens."""
        answer = self.redeem(self.code(browser, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def register(world: World, scope: str = "data:get@*", **members: Any) -> App:
    """A new app: public, unless it has another `token_endpoint_auth_method`."""
    asked = {"name": f"app-{uuid4().hex[:12]}", "scope": scope, "redirect_uris": [CALLBACK]} | members
    answer = made(world.admin.post("/v1/apps", json=asked))
    return App(world, answer["name"], answer["client_id"], answer["client_secret"], asked["redirect_uris"][0])


def command_line(world: World) -> App:
    """It acts as the user: what it gets, the user has."""
    return App(world, "hourmark-cli", "hourmark-cli", None, "http://127.0.0.1:49152/callback")


def as_oneself(world: World, browser: Browser) -> dict[str, str]:
    """The headers of the browser's user at the issuer's own API."""
    tokens = command_line(world).sign_in(browser, scope="*", resource=world.url)
    return bearer(tokens["access_token"])


def allow(browser: Browser, target: str) -> httpx.Response:
    """Opens an authorization request and agrees, if it is asked; the answer leads back to the client."""
    answer = browser.get(target)
    if answer.status_code == 200:
        answer = browser.send("/consent", {"decision": "allow"})
    return answer


def returned(answer: httpx.Response) -> dict[str, str]:
    """What the client is told by the redirect."""
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def claims(token: str) -> dict[str, Any]:
    """What a token says, whoever signed it."""
    return strict_json.parse_object(jws.parse(token).payload)
