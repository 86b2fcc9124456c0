"""A connection that bounds what it reads: uvicorn waits and reads for ever."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_DEADLINE = 10.0
"""Seconds for a whole request line and headers, from the connection or from the head's first byte on."""
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 512 * 1024
"""Of a body that nobody reads, or not any more: who reads one bounds it closer, and says so."""


class BoundedConnection(HttpToolsProtocol):
    """Closes a connection whose next head is too slow or too long, or whose body does not end."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self._ends_head(data):
                self.transport.abort()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._begin_head()

    def on_headers_complete(self) -> None:
        self._end_head()
        self._body_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            self.transport.abort()
        else:
            super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def _begin_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_DEADLINE, self.transport.abort)

    def _end_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _ends_head(self, data: bytes) -> bool:
        """A long body may come in one piece with the end of its head."""
        return (
            b"\r\n\r\n" in data and self._head_bytes - len(data) + data.index(b"\r\n\r\n") <= MAX_HEAD_BYTES
        )
