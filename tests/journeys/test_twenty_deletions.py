"""Twenty deletions through one process, while the other one is asked until it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from keys import RoleKey
from tests.journeys.client import Client, seconds_until
from tests.journeys.conftest import Measured
from tests.running_issuer import RunningIssuer

PROMISED = 1.0
TIMES = 20
_END_CONNECTIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s
"""
ONLY_POSTGRESQL = pytest.mark.parametrize("new_database", ["postgresql"], indirect=True, scope="module")


def _slowest(here: Client, there: Client, before_each: Callable[[], None] = lambda: None) -> float:
    role = here.new_role()
    keys = [here.new_key(role) for _ in range(TIMES)]
    slowest = 0.0
    for key in keys:
        assert not there.refuses(key)
        before_each()
        here.delete_key(role, key)
        slowest = max(slowest, there.seconds_until_refused(key))
    return slowest


def test_each_is_known_everywhere_within_a_second(here: Client, there: Client, measured: Measured) -> None:
    slowest = _slowest(here, there)
    measured(f"the slowest of {TIMES} deletions", slowest)
    assert slowest < PROMISED


@pytest.fixture
def end_connections(issuer: RunningIssuer) -> Iterator[Callable[[str], int]]:
    """Ends what the issuer's processes have open, by pattern of the last query; gives how many that were."""
    url = issuer.settings["HOURMARKD_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as database:

        def end(pattern: str) -> int:
            row = database.execute(_END_CONNECTIONS, [pattern]).fetchone()
            return int(row[0]) if row else 0

        yield end


@ONLY_POSTGRESQL
def test_each_is_known_everywhere_within_a_second_although_no_notification_arrives(
    here: Client, there: Client, end_connections: Callable[[str], int], measured: Measured
) -> None:
    """SQLite has none that could be lost. Who listens comes back too late for the deletion that follows."""
    ended: list[int] = []
    slowest = _slowest(here, there, lambda: ended.append(end_connections("LISTEN%")))
    assert any(ended)
    measured(f"the slowest of {TIMES} deletions without notifications", slowest)
    assert slowest < PROMISED


@ONLY_POSTGRESQL
def test_each_counts_at_once_where_it_was_made_although_every_connection_was_just_lost(
    here: Client, there: Client, end_connections: Callable[[str], int], measured: Measured
) -> None:
    def await_both(key: RoleKey) -> None:
        seconds_until(lambda: here.exchange(key).is_success and there.exchange(key).is_success)

    def await_the_end(key: RoleKey) -> float:
        return seconds_until(lambda: not there.exchange(key).is_success)

    role = here.new_role()
    bystander = here.new_key(role)
    slowest = 0.0
    for _ in range(TIMES // 2):
        await_both(key := here.new_key(role))
        end_connections("%")
        here.delete_key(role, key)
        # Refused, or "I do not know, ask later": only a token would be wrong.
        assert here.exchange(key).status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.SERVICE_UNAVAILABLE)
        slowest = max(slowest, await_the_end(key))
        await_both(bystander)
    measured("the slowest deletion after lost connections, at the other process", slowest)
    assert slowest < PROMISED
