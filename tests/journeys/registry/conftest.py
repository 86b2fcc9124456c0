"""An issuer with two registries, both real, and a home for whoever uses them.

The stories share them: each makes roles and repositories of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.issuer.http.world import OTHER_REGISTRY, REGISTRY, World, open_world
from tests.journeys.registry.clients import Home
from tests.running_registry import PROGRAMS, RunningRegistry, start_registry

BOTH_MODES = pytest.mark.parametrize("trust", ["x5c", "kid"], indirect=True, scope="session")


@pytest.fixture(scope="session", params=["x5c"])
def trust(request: pytest.FixtureRequest) -> str:
    """How registries know what signs."""
    return str(request.param)


@pytest.fixture(scope="session")
def world(trust: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer"), HOURMARKD_REGISTRY_TRUST=trust) as opened:
        yield opened


@pytest.fixture(scope="session", params=sorted(PROGRAMS))
def program(request: pytest.FixtureRequest) -> str:
    return PROGRAMS[request.param]


@pytest.fixture(scope="session")
def registry(
    world: World, program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningRegistry]:
    with start_registry(tmp_path_factory.mktemp("registry"), world.issuer, REGISTRY, program) as running:
        yield running


@pytest.fixture(scope="session")
def other_registry(
    world: World, program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningRegistry]:
    with start_registry(
        tmp_path_factory.mktemp("registry"), world.issuer, OTHER_REGISTRY, program
    ) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def repository() -> str:
    """The name of one that no other story has."""
    return f"stories/r{uuid4().hex[:12]}"
