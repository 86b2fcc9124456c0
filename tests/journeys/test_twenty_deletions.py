"""Twenty deletions, each through another process, and every process is asked until it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle

import psycopg
import pytest

from issuer.store.database import Database, StoreUnavailable
from keys import RoleKey
from tests.issuer.store.databases import SlowToLock, delete_key, write
from tests.journeys.client import seconds_until
from tests.journeys.conftest import ONLY_POSTGRESQL, Measured
from tests.journeys.deletions import (
    NOT_KNOWN,
    REFUSED,
    TIMES,
    issues_nothing,
    refuses,
    seconds_until_all,
    slowest_of_twenty,
)
from tests.journeys.workers import Worker, every_worker
from tests.postgresql_proxy import PostgresProxy
from tests.running_issuer import RunningIssuer

PROMISED = 1.0
FREEZE = 2.5
PATIENCE = 10.0
_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_END_CONNECTIONS = f"SELECT count(pg_terminate_backend(pid)) {_OTHERS} AND query LIKE %s"
_WAIT_FOR_LOCK = f"SELECT count(*) {_OTHERS} AND wait_event_type = 'Lock' AND wait_event = 'advisory'"
_LAST = "SELECT max(number) FROM change WHERE ref = %s"


def test_each_is_refused_by_every_process_within_a_second(
    hosts: list[RunningIssuer], measured: Measured
) -> None:
    with every_worker(*hosts) as workers:
        slowest = slowest_of_twenty(workers)
    measured(f"the slowest of {TIMES} deletions at the last of {len(workers)} processes", slowest)
    assert slowest < PROMISED


@ONLY_POSTGRESQL
def test_the_same_although_no_notification_arrives(
    hosts: list[RunningIssuer], postgresql_proxy: PostgresProxy, measured: Measured
) -> None:
    """SQLite has none that could be lost."""
    with every_worker(*hosts) as workers, postgresql_proxy.without_notifications():
        slowest = slowest_of_twenty(workers)
    assert postgresql_proxy.kept_back >= TIMES * len(workers)
    measured(f"the slowest of {TIMES} deletions without notifications", slowest)
    assert slowest < PROMISED


@pytest.fixture
def postgresql(database_url: str) -> Iterator[psycopg.Connection]:
    """Past the proxy, as PostgreSQL's administrator."""
    url = database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def ask_number(postgresql: psycopg.Connection, query: str, *arguments: str) -> int:
    row = postgresql.execute(query, arguments or None).fetchone()
    assert row is not None
    return int(row[0])


@ONLY_POSTGRESQL
def test_the_same_although_the_listening_connections_are_cut_each_time(
    hosts: list[RunningIssuer], postgresql: psycopg.Connection, measured: Measured
) -> None:
    """Who listens comes back too late for the deletion that follows."""
    ended: list[int] = []

    def delete(worker: Worker, role: str, key: RoleKey) -> None:
        ended.append(ask_number(postgresql, _END_CONNECTIONS, "LISTEN%"))
        worker.delete_key(role, key)

    with every_worker(*hosts) as workers:
        slowest = slowest_of_twenty(workers, delete)
    assert sum(ended) >= len(workers)
    measured(f"the slowest of {TIMES} deletions with LISTEN cut before each", slowest)
    assert slowest < PROMISED


@ONLY_POSTGRESQL
def test_the_same_whatever_becomes_of_the_writer_that_was_before(
    hosts: list[RunningIssuer], database_url: str, postgresql: psycopg.Connection, measured: Measured
) -> None:
    """Each deletion begins while an earlier change is under way, which is kept, rolled back or killed."""
    endings = cycle([lambda _: None, _give_up, _kill])
    with (
        every_worker(*hosts) as workers,
        closing(Database(database_url)) as third_host,
        ThreadPoolExecutor(1) as beside,
    ):

        def delete(worker: Worker, role: str, key: RoleKey) -> None:
            with _change_under_way(third_host, next(endings)):
                deletion = beside.submit(worker.delete_key, role, key)
                seconds_until(lambda: ask_number(postgresql, _WAIT_FOR_LOCK) > 0)
            deletion.result()

        slowest = slowest_of_twenty(workers, delete)
    measured(f"the slowest of {TIMES} deletions that had to wait for another change", slowest)
    assert slowest < PROMISED


class _GivenUp(Exception):
    """The change is not made after all."""


def _give_up(_: psycopg.Connection) -> None:
    raise _GivenUp


def _kill(connection: psycopg.Connection) -> None:
    with psycopg.connect(connection.info.dsn, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])


@contextmanager
def _change_under_way(database: Database, end: Callable[[psycopg.Connection], None]) -> Iterator[None]:
    try:
        with database.write(actor="test", now=int(time.time())) as tx:
            tx.changed("principal", "role:org.account.somebody")
            yield
            driver = tx.session.connection().connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            end(driver)
    except (_GivenUp, StoreUnavailable):
        return


@ONLY_POSTGRESQL
def test_the_same_although_who_began_before_it_commits_after_it(
    hosts: list[RunningIssuer], database_url: str, postgresql: psycopg.Connection, measured: Measured
) -> None:
    """Every process has read the log beyond the deletion by then, and must not miss the late change."""
    slowest = slowest_late = 0.0
    with every_worker(*hosts) as workers, ThreadPoolExecutor(1) as beside:
        role, late_role = workers[0].new_role(), workers[0].new_role()
        for worker, _ in zip(cycle(workers), range(TIMES), strict=False):
            key, late_key = worker.new_key(role), worker.new_key(late_role)
            assert not any(each.refuses(key) or each.refuses(late_key) for each in workers)
            with closing(SlowToLock(database_url)) as third_host:
                late = beside.submit(_delete_key, third_host, late_role, late_key)
                assert third_host.began.wait(PATIENCE)
                worker.delete_key(role, key)
                slowest = max(slowest, seconds_until_all(workers, refuses, key))
                assert not any(each.refuses(late_key) for each in workers)
                third_host.may_lock.set()
                late.result(PATIENCE)
            slowest_late = max(slowest_late, seconds_until_all(workers, refuses, late_key))
            deleted, deleted_late = (
                ask_number(postgresql, _LAST, f"role:{name}") for name in (role, late_role)
            )
            assert deleted < deleted_late
    measured(f"the slowest of {TIMES} deletions while who began before had not committed", slowest)
    measured(
        f"the slowest of {TIMES} deletions that began before another and committed after it", slowest_late
    )
    assert max(slowest, slowest_late) < PROMISED


def _delete_key(database: Database, role: str, key: RoleKey) -> None:
    with write(database, int(time.time())) as tx:
        delete_key(tx, key.access, f"role:{role}")


@ONLY_POSTGRESQL
def test_each_counts_at_once_where_it_was_made_although_every_connection_was_just_lost(
    hosts: list[RunningIssuer], postgresql: psycopg.Connection, measured: Measured
) -> None:
    with every_worker(*hosts) as workers:
        role = workers[0].new_role()
        bystander = workers[0].new_key(role)

        def all_issue(key: RoleKey) -> bool:
            return all(worker.exchange(key).is_success for worker in workers)

        slowest = 0.0
        for worker in [*workers, *workers]:
            key = worker.new_key(role)
            seconds_until(lambda key=key: all_issue(key))  # type: ignore[misc]
            ask_number(postgresql, _END_CONNECTIONS, "%")
            worker.delete_key(role, key)
            assert issues_nothing(worker, key)
            slowest = max(slowest, seconds_until_all(workers, issues_nothing, key))
            seconds_until(lambda: all_issue(bystander))
    measured("the slowest deletion after lost connections, at the last process", slowest)
    assert slowest < PROMISED


@ONLY_POSTGRESQL
def test_a_host_that_stood_still_does_not_wake_up_with_what_it_knew_before(
    hosts: list[RunningIssuer], measured: Measured
) -> None:
    """The questions lie in its connections already when it wakes, before it could look at the database."""
    with every_worker(*hosts) as workers, ThreadPoolExecutor(len(workers)) as beside:
        awake = [worker for worker in workers if worker.issuer is hosts[0]]
        asleep = [worker for worker in workers if worker.issuer is hosts[1]]
        role = awake[0].new_role()
        key, bystander = awake[0].new_key(role), awake[0].new_key(role)
        for each in (key, bystander):
            assert not any(worker.refuses(each) for worker in workers)
        with hosts[1].frozen():
            awake[0].delete_key(role, key)
            first_answers = [beside.submit(worker.exchange, key) for worker in asleep]
            time.sleep(FREEZE)
            assert not any(answer.done() for answer in first_answers)
        woken = time.monotonic()
        statuses = {answer.result().status_code for answer in first_answers}
        assert statuses <= {REFUSED, NOT_KNOWN}
        seconds_until(lambda: all(worker.exchange(bystander).is_success for worker in workers))
        measured(f"a host that stood still for {FREEZE} s, until it issues again", time.monotonic() - woken)
        assert all(worker.refuses(key) for worker in workers)
