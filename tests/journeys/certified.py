"""What the certification's tests work with: an issuer, a confidential client, a user with a password."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browsers import Browser, signed_in
from tests.clients import App, claims, register, returned
from tests.issuer.http.world import World, made, open_world

USER, PASSWORD = "ada", "correct horse battery"
OPENID = "openid data:get@*"
EVERYTHING = "openid profile email offline_access data:get@*"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An issuer with a user who has set a password by a link."""
    folder: Path = tmp_path_factory.mktemp("certified")
    with open_world(folder) as opened:
        person = {"name": USER, "display_name": "Ada Lovelace", "email": "ada@people.example"}
        made(opened.admin.post("/v1/users", json=person))
        made(opened.admin.post(f"/v1/users/{USER}/roles", json={"role": opened.role("data:get@*")}))
        link = made(opened.admin.post(f"/v1/users/{USER}/invitations", json={}))["url"]
        with Browser(opened.url) as browser:
            browser.get(link.removeprefix(opened.url))
            set_up = browser.send("/setup", {"password": PASSWORD, "again": PASSWORD})
            assert set_up.status_code == 303
        yield opened


@pytest.fixture
def client(world: World) -> App:
    return register(world, token_endpoint_auth_method="client_secret_basic")


@pytest.fixture
def browser(world: World) -> Iterator[Browser]:
    """One in which nobody is signed in."""
    with Browser(world.url) as opened:
        yield opened


@pytest.fixture
def signed(world: World) -> Iterator[Browser]:
    """One in which the user signed in a minute ago."""
    with signed_in(world.issuer, USER, at=int(time.time()) - 60) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(world: World) -> dict[str, Any]:
    answer = world.nobody.get("/.well-known/openid-configuration")
    assert answer.status_code == 200
    return dict(answer.json())


def authenticate(browser: Browser, to_sign_in: httpx.Response) -> httpx.Response:
    """Signs in with the password where a request leads to; returns what the request then gets."""
    assert to_sign_in.status_code == 303
    assert to_sign_in.headers["location"].startswith("/login?next=")
    shown = browser.follow(to_sign_in)
    assert shown.status_code == 200
    done = browser.send("/login", {"user": USER, "password": PASSWORD})
    assert done.status_code == 303, done.text
    return browser.get(done.headers["location"])


def id_token(client: App, browser: Browser, **changes: str) -> dict[str, Any]:
    return claims(client.sign_in(browser, **{"scope": OPENID} | changes)["id_token"])


def told(browser: Browser, client: App, **changes: str | None) -> str:
    """The error that comes back to the client; "" without one."""
    return returned(browser.get(client.target(**{"scope": OPENID} | changes))).get("error", "")
