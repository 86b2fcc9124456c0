"""Issuers for all tests whose state does not clash: they use roles of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.browsers import Browser, signed_in
from tests.clients import App, register
from tests.issuer.http.world import Key, World, made, open_world, until
from tests.postgresql import PostgresServer


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An issuer on each database: they differ in what they take as text or number, and how they wait."""
    settings = {}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        settings["HOURMARKD_DATABASE_URL"] = server.create_database()
    with open_world(tmp_path_factory.mktemp(f"on-{request.param}"), **settings) as opened:
        yield opened


@dataclass(frozen=True)
class Expired:
    """A role key that has expired, with a token that it was exchanged for and that ended with it."""

    key: Key
    token: str


@pytest.fixture(scope="session")
def expired(world: World) -> Expired:
    ends_at = int(time.time()) + 3
    key = world.key(world.role("data:get@*"), expires_at=datetime.fromtimestamp(ends_at, UTC).isoformat())
    token = world.token(key)
    until(lambda: time.time() > ends_at)
    return Expired(key, token)


@pytest.fixture
def ada(world: World) -> str:
    """A user who holds a role that may get and put data."""
    name = f"u{uuid4().hex[:12]}"
    made(
        world.admin.post(
            "/v1/users", json={"name": name, "display_name": "Ada Lovelace", "email": "a@b.example"}
        )
    )
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("data:get@*", "data:put@a*")}))
    return name


@pytest.fixture
def browser(world: World, ada: str) -> Iterator[Browser]:
    with signed_in(world.issuer, ada) as opened:
        yield opened


@pytest.fixture(params=["none", "client_secret_basic"])
def app(request: pytest.FixtureRequest, world: World) -> App:
    return register(world, "data:get@*", token_endpoint_auth_method=request.param)
