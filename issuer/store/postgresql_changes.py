"""The log of changes on PostgreSQL: LISTEN, and a query when something was notified.

Half a second without is enough for one too, in case a notification was lost.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg
from psycopg.conninfo import make_conninfo

from issuer.store.changes import QUERY, Changed, in_order
from issuer.store.database import NOTICES_SILENCE, Database, StoreUnavailable

_PERIOD = 0.5
_READ_SECONDS = 1.0


class PostgresqlFeed:
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
            async with asyncio.timeout(_PERIOD):
                await self._told.wait()
        self._told.clear()

    async def read(self, after: int) -> list[Changed]:
        try:
            async with self._reading, asyncio.timeout(_READ_SECONDS):
                if self._reader is None or self._reader.closed:
                    self._reader = await self._connect()
                cursor = await self._reader.execute(QUERY.format("%s"), (after,))
                return in_order(await cursor.fetchall(), after)
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
            await asyncio.sleep(_PERIOD)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)

    async def _drop_reader(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            with suppress(psycopg.Error):
                await reader.close()
