"""Issuers for all tests whose state does not clash: they use roles of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.issuer.http.world import Key, World, open_world, until
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
