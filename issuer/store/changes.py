"""The log of changes as other processes read it, and how they learn that there is something to read.

SQLite: `PRAGMA data_version` on a connection of its own, some microseconds. PostgreSQL: LISTEN, and a query
when something was notified or half a second has passed, in case a notification was lost.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import psycopg
from psycopg.conninfo import make_conninfo
from sqlmodel import Session, col, delete, func, select

from issuer.store.database import NOTICES_SILENCE, Database, StoreUnavailable, Transaction
from issuer.store.tables import Change

_SQLITE_PERIOD = 0.05
_POSTGRES_PERIOD = 0.5
_READ_SECONDS = 1.0
_KEPT = 10_000
_QUERY = "SELECT number, kind, ref FROM change WHERE number > {} ORDER BY number"


@dataclass(frozen=True, slots=True)
class Changed:
    """`ref` of this kind must be looked at again. `kind` is None when all of it must."""

    number: int
    kind: str | None
    ref: str


class ChangeFeed(Protocol):
    """Where a process reads what others changed."""

    async def wait(self) -> None:
        """Returns when there may be something to read, at the latest after half a second."""

    async def read(self, after: int) -> list[Changed]:
        """The changes behind number `after`, in the order of their commits. Raises StoreUnavailable."""

    async def close(self) -> None: ...


def last_number(session: Session) -> int:
    return session.exec(select(func.max(Change.number))).one() or 0


def prune(tx: Transaction) -> None:
    """Forgets what every process has read long ago."""
    oldest = last_number(tx.session) - _KEPT
    tx.session.execute(delete(Change).where(col(Change.number) <= oldest))


def open_feed(database: Database) -> ChangeFeed:
    return SqliteFeed(database) if database.is_sqlite else PostgresFeed(database)


class SqliteFeed:
    """Reads in the event loop itself: it costs less than handing it to a thread."""

    def __init__(self, database: Database) -> None:
        self._check_file = database.check_file
        self._check_file()
        self._connection = sqlite3.connect(database.url.database or "", timeout=0, isolation_level=None)
        self._data_version: int | None = None

    async def wait(self) -> None:
        await asyncio.sleep(_SQLITE_PERIOD)

    async def read(self, after: int) -> list[Changed]:
        self._check_file()
        try:
            (data_version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if data_version == self._data_version:
                return []
            rows = self._connection.execute(_QUERY.format("?"), (after,)).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable("the change log cannot be read") from error
        self._data_version = data_version
        return _changes(rows, after)

    async def close(self) -> None:
        self._connection.close()


class PostgresFeed:
    """One connection listens, another one reads; both are opened again after a loss."""

    def __init__(self, database: Database) -> None:
        url = database.url.set(drivername="postgresql")
        self._conninfo = make_conninfo(
            url.render_as_string(hide_password=False), connect_timeout=2, **NOTICES_SILENCE
        )
        self._told = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._reader: psycopg.AsyncConnection | None = None
        self._reading = asyncio.Lock()

    async def wait(self) -> None:
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            async with asyncio.timeout(_POSTGRES_PERIOD):
                await self._told.wait()
        self._told.clear()

    async def read(self, after: int) -> list[Changed]:
        try:
            async with self._reading, asyncio.timeout(_READ_SECONDS):
                if self._reader is None or self._reader.closed:
                    self._reader = await self._connect()
                cursor = await self._reader.execute(_QUERY.format("%s"), (after,))
                return _changes(await cursor.fetchall(), after)
        except (psycopg.Error, TimeoutError) as error:
            await self._drop_reader()
            raise StoreUnavailable("the change log cannot be read") from error

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._drop_reader()

    async def _listen(self) -> None:
        while True:
            with suppress(psycopg.Error):
                async with await self._connect() as connection:
                    await connection.execute("LISTEN hourmark_changes")
                    self._told.set()
                    async for _ in connection.notifies():
                        self._told.set()
            await asyncio.sleep(_POSTGRES_PERIOD)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)

    async def _drop_reader(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            with suppress(psycopg.Error):
                await reader.close()


def _changes(rows: list[tuple[int, str, str]], after: int) -> list[Changed]:
    changes = [Changed(*row) for row in rows]
    if changes and changes[0].number > after + 1:
        # What lies between was pruned: nobody can tell any more what changed, so everything may have.
        return [Changed(changes[-1].number, None, "")]
    return changes
