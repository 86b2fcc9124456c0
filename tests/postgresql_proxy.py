"""Between an issuer and its PostgreSQL: all is passed on, unless a test keeps notifications or all back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import make_url

_NOTIFICATION = b"A"
"""NotificationResponse (PostgreSQL's frontend/backend protocol, message formats)."""
T = TypeVar("T")
_CLOSED = (asyncio.IncompleteReadError, ConnectionError)


class PostgresProxy:
    """Listens on a loopback port for one database; a context manager."""

    def __init__(self, database_url: str) -> None:
        upstream = make_url(database_url)
        self._socket = f"{upstream.query['host']}/.s.PGSQL.5432"
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgresql proxy")
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._connections: set[asyncio.Task[None]] = set()
        self._mute = False
        self.kept_back = 0
        """How many notifications did not arrive."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        port = self._server.sockets[0].getsockname()[1]
        # Every message in both directions has the same form only without the talk about encryption before.
        query = {"sslmode": "disable", "gssencmode": "disable"}
        self.url = self._upstream.set(host="127.0.0.1", port=port, query=query).render_as_string()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def without_notifications(self) -> Iterator[None]:
        self._mute = True
        yield
        self._mute = False

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing arrives in either direction, and no connection is closed: as when a cable was pulled."""
        self._loop.call_soon_threadsafe(self._flowing.clear)
        yield
        self._loop.call_soon_threadsafe(self._flowing.set)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        upstream_reader, upstream_writer = await asyncio.open_unix_connection(self._socket)
        asked = asyncio.create_task(self._pass_on(reader, upstream_writer))
        try:
            await self._answer(upstream_reader, writer)
        finally:
            asked.cancel()
            for each in (writer, upstream_writer):
                each.close()
            self._connections.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*_CLOSED):
            while asked := await reader.read(65536):
                await self._flowing.wait()
                writer.write(asked)
                await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*_CLOSED):
            while True:
                head = await reader.readexactly(5)
                body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
                await self._flowing.wait()
                if self._mute and head[:1] == _NOTIFICATION:
                    self.kept_back += 1
                    continue
                writer.write(head + body)
                await writer.drain()

    async def _close(self) -> None:
        self._server.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
