"""An issuer, a cluster whose service accounts it may trust, and a role that does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.issuer.http.trust.asking import SUBJECT, UID, trust
from tests.issuer.http.world import World, open_world
from tests.outside_issuer import OutsideIssuer, outside_issuer


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Of its own: more is refused here in a minute than elsewhere."""
    folder = tmp_path_factory.mktemp("issuer")
    with open_world(folder, HOURMARKD_FAILURES_PER_MINUTE="100000") as opened:
        yield opened


@pytest.fixture(scope="session")
def cluster() -> Iterator[OutsideIssuer]:
    with outside_issuer() as running:
        yield running


@pytest.fixture(scope="session")
def trusted(world: World, cluster: OutsideIssuer) -> str:
    """A role that a service account may become."""
    role = world.role("data:get@*", "data:put@a*")
    trust(
        world,
        role,
        issuer=cluster.url,
        subject=SUBJECT,
        claims={"/kubernetes.io/serviceaccount/uid": UID},
    )
    return role
