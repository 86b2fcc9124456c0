"""Whoever reads the log of changes never finds later what belongs before: numbers follow the commits."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from issuer.store.changes import Changed
from issuer.store.database import Database
from issuer.store.feeds import open_feed
from tests.issuer.store.databases import SlowToLock, execute, write
from tests.vectors import PROJECT

pytestmark = pytest.mark.anyio

PATIENCE = 10.0
ONLY_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
KILLED_WRITER = """
import os, signal, sys
from issuer.store.database import Database
with Database(sys.argv[1]).write(actor="test", now=0) as tx:
    tx.changed("principal", "lost")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def change(database: Database, ref: str, before_the_end: Callable[[], object] = lambda: None) -> None:
    with write(database) as tx:
        tx.changed("principal", ref)
        before_the_end()


def url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


async def read(database: Database, after: int) -> list[Changed]:
    """As a process does that has read up to `after`."""
    feed = open_feed(database)
    try:
        return await feed.read(after)
    finally:
        await feed.close()


async def test_who_begins_later_waits_for_who_began_earlier(database: Database) -> None:
    began, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        assert may_end.wait(PATIENCE)

    with closing(Database(url(database))) as other, ThreadPoolExecutor(2) as threads:
        first = threads.submit(change, database, "first", hold)
        assert began.wait(PATIENCE)
        second = threads.submit(change, other, "second")
        assert await read(database, 0) == []
        assert not second.done()
        may_end.set()
        for each in (first, second):
            each.result(PATIENCE)
    assert await read(database, 0) == [Changed(1, "principal", "first"), Changed(2, "principal", "second")]


@ONLY_POSTGRESQL
@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
async def test_who_began_first_and_ends_last_has_the_last_number(database: Database, isolation: str) -> None:
    """SQLite's transactions begin with their turn. PostgreSQL's have seen an older log by then."""
    setting = f"ALTER DATABASE {database.url.database} SET default_transaction_isolation"
    execute(database, f"{setting} = '{isolation}'")
    try:
        with closing(SlowToLock(url(database))) as slow, ThreadPoolExecutor(1) as threads:
            first = threads.submit(change, slow, "began first")
            assert slow.began.wait(PATIENCE)
            change(database, "began second")
            assert await read(database, 0) == [Changed(1, "principal", "began second")]
            slow.may_lock.set()
            first.result(PATIENCE)
        assert await read(database, 1) == [Changed(2, "principal", "began first")]
    finally:
        execute(database, setting.replace(" SET ", " RESET "))


async def test_a_writer_that_gives_up_leaves_no_gap(database: Database) -> None:
    def give_up() -> None:
        raise InterruptedError

    change(database, "before")
    with pytest.raises(InterruptedError):
        change(database, "lost", give_up)
    change(database, "after")
    assert await read(database, 1) == [Changed(2, "principal", "after")]


def kill_a_writer(database: Database) -> None:
    command = [sys.executable, "-c", KILLED_WRITER, url(database)]
    assert subprocess.run(command, cwd=PROJECT, check=False).returncode == -signal.SIGKILL


async def test_a_writer_that_is_killed_leaves_no_gap(database: Database) -> None:
    change(database, "before")
    kill_a_writer(database)
    change(database, "after")
    assert await read(database, 1) == [Changed(2, "principal", "after")]
