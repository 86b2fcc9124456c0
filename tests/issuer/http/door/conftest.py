"""An issuer to which a proxy proves itself by a secret, and whoever comes to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from tests import doors
from tests.browsers import Browser, signed_in
from tests.doors import Door
from tests.issuer.http.door.visitors import ACTS, Agreed, Visitor, agree, new_user
from tests.issuer.http.world import OTHER, World, open_world, until

KINDS = ("nginx", "forwarded")
NewVisitor = Callable[..., Visitor]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("door"), **doors.SETTINGS) as opened:
        yield opened


@pytest.fixture(scope="session")
def elsewhere(world: World) -> Iterator[httpx.Client]:
    """Nobody, at another process of the issuer."""
    with world.issuer.another() as other, other.http("") as there:
        yield there


@pytest.fixture(params=KINDS)
def door(world: World, request: pytest.FixtureRequest) -> Door:
    return doors.door(world, request.param)


@pytest.fixture
def new_visitor(world: World) -> Iterator[NewVisitor]:
    """Whoever comes to a door; `user` is signed in at the issuer."""
    with ExitStack() as stack:

        def make(door: Door, user: str | None = None) -> Visitor:
            browser = Browser(world.url) if user is None else signed_in(world.issuer, user)
            return Visitor(door, stack.enter_context(browser))

        yield make


@pytest.fixture
def visitor(door: Door, new_visitor: NewVisitor) -> Visitor:
    return new_visitor(door)


@pytest.fixture
def agreed(world: World, new_visitor: NewVisitor) -> Agreed:
    door, user = doors.door(world, "nginx", scope=ACTS, audience=OTHER), new_user(world)
    return agree(new_visitor(door, user), user)


@pytest.fixture(scope="session")
def refused_tokens(world: World) -> dict[str, str]:
    """Tokens that were issued here and open nothing, by why."""
    ends_at = int(time.time()) + 2
    ends = {"expires_at": datetime.fromtimestamp(ends_at, UTC).isoformat()}
    expired = world.token(world.key(world.role("app:query@*"), **ends))
    renewed = world.holder("app:query@*")
    revoked = world.token(renewed)
    world.admin.post(f"/v1/roles/{renewed.role}/keys/{renewed.access}/renew").raise_for_status()
    other_label = world.token(world.holder(f"app:query@*[group={uuid4().hex}]"))
    other_service = world.for_issuer(world.holder("app:query@*"))
    until(lambda: time.time() > ends_at)
    return {
        "expired": expired,
        "revoked": revoked,
        "wrong_audience": other_service,
        "insufficient_scope": other_label,
    }
