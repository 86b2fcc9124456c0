"""Twenty deletions through one process, while the other one is asked until it refuses."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.journeys.client import Client, seconds_until
from tests.journeys.conftest import Measured
from tests.running_issuer import RunningIssuer

PROMISED = 1.0
TIMES = 20
_END_LISTENERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'
"""


def _slowest(here: Client, there: Client, before_each: Callable[[], None] = lambda: None) -> float:
    role = here.new_role()
    keys = [here.new_key(role) for _ in range(TIMES)]
    slowest = 0.0
    for key in keys:
        assert not there.refuses(key)
        before_each()
        here.delete_key(role, key)
        slowest = max(slowest, seconds_until(lambda: there.refuses(key)))  # noqa: B023 - called in this turn
    return slowest


def test_each_is_known_everywhere_within_a_second(here: Client, there: Client, measured: Measured) -> None:
    slowest = _slowest(here, there)
    measured(f"the slowest of {TIMES} deletions", slowest)
    assert slowest < PROMISED


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True, scope="module")
def test_each_is_known_everywhere_within_a_second_although_no_notification_arrives(
    issuer: RunningIssuer, here: Client, there: Client, measured: Measured
) -> None:
    """SQLite has none that could be lost."""
    url = issuer.settings["HOURMARKD_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    ended = 0
    with psycopg.connect(url, autocommit=True) as database:

        def end_listeners() -> None:
            """They come back after a while: too late for the deletion that follows at once."""
            nonlocal ended
            row = database.execute(_END_LISTENERS).fetchone()
            assert row is not None
            ended += row[0]

        slowest = _slowest(here, there, end_listeners)
    assert ended
    measured(f"the slowest of {TIMES} deletions without notifications", slowest)
    assert slowest < PROMISED
