"""An issuer, a role, and a terminal of somebody who may start jobs as it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.http.world import World
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Terminal


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


@pytest.fixture
def role(world: World) -> str:
    return world.role("data:get@*", "job:get@*")


@pytest.fixture
def terminal(world: World, role: str, tmp_path: Path) -> Iterator[Terminal]:
    """Of one who may begin jobs as the role."""
    key = world.holder("job:*@*", f"role:assume@{role}")
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key.text) as opened:
        yield opened
