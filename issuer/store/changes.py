"""The log of changes as other processes read it, and how they learn that there is something to read.

SQLite: `PRAGMA data_version` on a connection of its own, some microseconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session, col, delete, func, select

from issuer.store.database import Database, StoreUnavailable, Transaction
from issuer.store.tables import Change

_SQLITE_PERIOD = 0.05
_KEPT = 10_000
QUERY = "SELECT number, kind, ref FROM change WHERE number > {} ORDER BY number"


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
    if database.is_sqlite:
        return SqliteFeed(database)
    # The driver costs as much to load as the rest of the store: whoever has SQLite does without.
    from issuer.store.postgresql_changes import PostgresqlFeed

    return PostgresqlFeed(database)


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
            rows = self._connection.execute(QUERY.format("?"), (after,)).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable("the change log cannot be read") from error
        self._data_version = data_version
        return in_order(rows, after)

    async def close(self) -> None:
        self._connection.close()


def in_order(rows: list[tuple[int, str, str]], after: int) -> list[Changed]:
    """What the rows behind number `after` say."""
    changes = [Changed(*row) for row in rows]
    if changes and changes[0].number > after + 1:
        # What lies between was pruned: nobody can tell any more what changed, so everything may have.
        return [Changed(changes[-1].number, None, "")]
    return changes
