from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import anyio
import pytest
from sqlalchemy import text

from issuer.store import changes, postgresql_changes
from issuer.store.changes import Changed, ChangeFeed
from issuer.store.database import Database, StoreUnavailable
from issuer.store.feeds import open_feed
from issuer.store.postgresql_changes import PostgresqlFeed
from tests.issuer.store.databases import ROLE, count, execute, write
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.anyio

PATIENCE = 10.0
"""Seconds after which what is waited for will not happen any more."""
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
LISTENERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
)


@asynccontextmanager
async def feeding(database: Database) -> AsyncIterator[ChangeFeed]:
    feed = open_feed(database)
    try:
        yield feed
    finally:
        await feed.close()


def change(database: Database, *refs: str) -> None:
    with write(database) as tx:
        for ref in refs:
            tx.changed("principal", ref)


async def refs(feed: ChangeFeed, after: int) -> list[tuple[int, str]]:
    return [(changed.number, changed.ref) for changed in await feed.read(after)]


async def until_read(feed: ChangeFeed, after: int) -> list[Changed]:
    """As a process follows: a loss of the connection is one failed look."""
    with anyio.fail_after(PATIENCE):
        while True:
            await feed.wait()
            try:
                found = await feed.read(after)
            except StoreUnavailable:
                continue
            if found:
                return found


async def test_changes_behind_a_number(database: Database) -> None:
    async with feeding(database) as feed:
        assert await feed.read(0) == []
        change(database, "a")
        change(database, "b", "c")
        assert await feed.read(0) == [Changed(n + 1, "principal", ref) for n, ref in enumerate("abc")]
        change(database, "d")
        assert await refs(feed, 2) == [(3, "c"), (4, "d")]
        assert await feed.read(4) == []


async def test_the_own_process_and_others_are_seen(database: Database) -> None:
    with closing(Database(database.url.render_as_string(hide_password=False))) as other:
        async with feeding(database) as feed, feeding(other) as others:
            for number, (writer, ref) in enumerate([(database, "a"), (other, "b"), (database, "c")]):
                change(writer, ref)
                assert await refs(feed, number) == await refs(others, number) == [(number + 1, ref)]


async def test_what_is_not_committed_is_not_seen(database: Database) -> None:
    async with feeding(database) as feed:
        with write(database) as tx:
            tx.changed("principal", ROLE)
            assert await feed.read(0) == []
        assert await refs(feed, 0) == [(1, ROLE)]


async def test_who_missed_pruned_changes_looks_at_everything_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_KEPT", 3)
    change(database, *"abcdefgh")
    with write(database) as tx:
        changes.prune(tx)
    assert count(database, "change") == 3
    for after in (0, 3, 4):
        async with feeding(database) as feed:
            assert await feed.read(after) == [Changed(8, None, "")]
    async with feeding(database) as feed:
        assert await refs(feed, 5) == [(6, "f"), (7, "g"), (8, "h")]
    change(database, "i")
    with write(database) as tx:
        changes.prune(tx)
        assert changes.last_number(tx.session) == 9


async def test_waiting_ends_soon_even_if_nothing_happens(database: Database) -> None:
    async with feeding(database) as feed:
        began = time.monotonic()
        with anyio.fail_after(PATIENCE):
            for _ in range(2):
                await feed.wait()
        assert time.monotonic() - began < 2.0


async def test_a_commit_wakes_who_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_changes, "_PERIOD", 4 * PATIENCE)
    async with feeding(database) as feed:
        # The first time it comes back because it has just begun to listen.
        with anyio.fail_after(PATIENCE):
            await feed.wait()
        for number in range(3):
            waiting = asyncio.create_task(until_read(feed, number))
            await asyncio.sleep(0.01)
            await anyio.to_thread.run_sync(change, database, "x")
            assert [changed.number for changed in await waiting] == [number + 1]


async def test_a_lost_notification_is_made_up_for(database: Database) -> None:
    """A change without NOTIFY, as after a loss of the listening connection."""
    async with feeding(database) as feed:
        await feed.wait()
        execute(database, "INSERT INTO change (number, kind, ref) VALUES (1, 'principal', 'x')")
        began = time.monotonic()
        assert await until_read(feed, 0) == [Changed(1, "principal", "x")]
        assert time.monotonic() - began < 1.0


async def test_a_loss_of_connections_is_survived(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.is_sqlite:
        return  # it has none
    async with feeding(database) as feed:
        change(database, "a")
        await until_read(feed, 0)
        for number in (1, 2):
            execute(database, TERMINATE)
            with pytest.raises(StoreUnavailable):
                await feed.read(number)
            change(database, "b")
            assert [changed.number for changed in await until_read(feed, number)] == [number + 1]
        with anyio.fail_after(PATIENCE):
            while not await anyio.to_thread.run_sync(_listeners, database):
                await feed.wait()
        await feed.wait()
        monkeypatch.setattr(postgresql_changes, "_PERIOD", 4 * PATIENCE)
        waiting = asyncio.create_task(until_read(feed, 3))
        await asyncio.sleep(0.01)
        await anyio.to_thread.run_sync(change, database, "c")
        await waiting


def _listeners(database: Database) -> int:
    with database.read() as session:
        return int(session.connection().execute(text(LISTENERS)).scalar_one())


async def test_a_server_that_is_gone_and_comes_back(postgres_server: PostgresServer) -> None:
    with closing(Database(postgres_server.create_database())) as database:
        execute(database, "CREATE TABLE change (number bigint, kind text, ref text)")
        async with feeding(database) as feed:
            assert await feed.read(0) == []
            postgres_server.stop()
            try:
                for _ in range(3):
                    await feed.wait()
                    with pytest.raises(StoreUnavailable):
                        await feed.read(0)
            finally:
                await anyio.to_thread.run_sync(postgres_server.start)
            execute(database, "INSERT INTO change VALUES (1, 'principal', 'x')")
            assert await until_read(feed, 0) == [Changed(1, "principal", "x")]


async def test_a_hanging_database_does_not_hang_the_reader(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL: somebody holds the table. SQLite: somebody holds the file, and no one waits for it."""
    monkeypatch.setattr(postgresql_changes, "_READ_SECONDS", 0.2)
    async with feeding(database) as feed:
        change(database, "a")
        if database.is_sqlite:
            database.close()
            holder = sqlite3.connect(database.url.database or "", isolation_level=None)
            with closing(holder):
                holder.execute("PRAGMA locking_mode=EXCLUSIVE")
                holder.execute("UPDATE change SET ref = 'b'")
                with pytest.raises(StoreUnavailable):
                    await feed.read(0)
        else:
            with write(database) as tx:
                tx.session.execute(text("LOCK TABLE change IN ACCESS EXCLUSIVE MODE"))
                with anyio.fail_after(PATIENCE), pytest.raises(StoreUnavailable):
                    await feed.read(0)
        assert len(await until_read(feed, 0)) == 1


async def test_a_feed_that_is_closed_before_it_was_used(database: Database) -> None:
    """Nothing is raised, and nothing is left open: that would be a warning, which fails a test."""
    async with feeding(database):
        pass


async def test_closing_while_the_server_is_gone(postgres_server: PostgresServer) -> None:
    with closing(Database(postgres_server.create_database())) as database:
        feed = PostgresqlFeed(database)
        await feed.wait()
        postgres_server.stop()
        try:
            await feed.wait()
            with anyio.fail_after(PATIENCE):
                await feed.close()
        finally:
            await anyio.to_thread.run_sync(postgres_server.start)
