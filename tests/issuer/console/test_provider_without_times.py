"""A provider that does not tell when somebody signed in there: good for signing in, and for nothing fresh."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from tests.browsers import Browser
from tests.clients import claims, command_line, register, returned
from tests.issuer.http.world import World, made, open_world
from tests.issuer.signing_in.provider_double import CLIENT_ID, ProviderDouble, start_provider_double


@pytest.fixture(scope="module")
def double() -> Iterator[ProviderDouble]:
    with start_provider_double() as started:
        yield started


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, double: ProviderDouble) -> Iterator[World]:
    provider = {"issuer": double.url, "client_id": CLIENT_ID, "creates_users": True, "title": "Corp"}
    settings = json.dumps({"corp": provider})
    with open_world(tmp_path_factory.mktemp("upstream"), HOURMARKD_UPSTREAM_PROVIDERS=settings) as opened:
        yield opened


def come_by(double: ProviderDouble, browser: Browser, then: str) -> httpx.Response:
    """To the provider and back."""
    there = browser.get(f"/login/corp?next={quote(then, safe='')}")
    asked = {name: texts[0] for name, texts in parse_qs(urlsplit(there.headers["location"]).query).items()}
    told = double.claims(asked["nonce"]) | {"preferred_username": "grace"}
    del told["auth_time"]
    double.answer(double.sign(told))
    return browser.get(f"/login/corp/callback?code=x&state={asked['state']}&iss={quote(double.url)}")


def test_it_signs_in_and_proves_nothing_fresh(world: World, double: ProviderDouble) -> None:
    with Browser(world.url) as browser:
        assert come_by(double, browser, "/").headers["location"] == "/"
        made(world.admin.post("/v1/users/grace/roles", json={"role": world.role("data:*@*")}))

        app = register(world)
        browser.get(app.target(scope="openid"))
        tokens = app.redeem(returned(browser.send("/consent", {"decision": "allow"}))["code"]).json()
        assert "auth_time" not in claims(tokens["id_token"]), "nobody knows it"

        for wanted in (command_line(world).target(scope="*"), app.target(max_age="300"), "/account/password"):
            led = browser.get(wanted).headers["location"]
            assert led.startswith("/login?next=")
            answer = come_by(double, browser, parse_qs(urlsplit(led).query)["next"][0])
            assert answer.status_code == 403
            assert "does not tell when you signed in there (auth_time)" in answer.text
        assert browser.get("/").status_code == 200, "and nobody is signed out by it"
