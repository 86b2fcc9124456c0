"""An issuer, and a terminal whose user may read data there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.http.world import World, open_world
from tests.journeys.terminal import Terminal


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Iterator[Terminal]:
    key = world.holder("data:get@*").text
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key, GIT_TERMINAL_PROMPT="0") as opened:
        yield opened
