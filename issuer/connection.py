"""What one connection may cost: uvicorn itself waits and reads for ever."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_DEADLINE = 10.0
"""Seconds for a whole request line and headers, from the connection or the first byte after an answer."""
BODY_DEADLINE = 20.0
"""Seconds from the head to the end of the message: later than issuer.body's, which says what is wrong."""
READ_DEADLINE = 30.0
"""Seconds for a client to take what its answer's buffer cannot hold."""
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 512 * 1024
"""As sent, with chunk sizes and trailer, read or not: whoever reads a body bounds it closer, and says so."""
MAX_WAITING = 16
"""Requests behind the one that is answered: uvicorn queues as many as a read holds, and reads per answer."""
WHOLE = "hourmark.whole"
"""In the scope of a request whose message came to its end before anybody waited for it."""
_PIECE = 4096
"""Bytes parsed between two looks at the bounds, which are exact to this."""


class BoundedConnection(HttpToolsProtocol):
    """Aborts a connection whose message does not end in time or size, which carries trailer fields, or whose
    client does not read.

    There is a deadline whenever the client owes us something: the rest of a message, or, once all is
    answered, the head it began. uvicorn's keep-alive is for silence; any byte ends it, even an empty line.
    A request that comes whole in one read sets no timer, and none runs while its answer is awaited.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _in_body = False
    _taken = 0
    """Bytes since the current head or body began."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        # Counted here and not in the callbacks: those hear of a header's value only when it is complete.
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            self._taken += len(piece)
            super().data_received(piece)
            if self._taken > (MAX_BODY_BYTES if self._in_body else MAX_HEAD_BYTES):
                self.transport.abort()
            if self.transport.is_closing():
                return
        if self._deadline is None and (self._in_body or self._is_all_answered()):
            self._set_deadline()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            # uvicorn would add it to the headers, behind the back of the proxy that checked those.
            self._refuse("a trailer field")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._begin(in_body=True)
        super().on_headers_complete()
        if len(self.pipeline) > MAX_WAITING:
            self._refuse("too many requests at once")

    def on_message_complete(self) -> None:
        self._begin(in_body=False)
        self.scope[WHOLE] = True  # type: ignore[literal-required]  # a key of our own
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READ_DEADLINE, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_unread()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        self._end_unread()
        super().connection_lost(exc)

    def _begin(self, *, in_body: bool) -> None:
        self._end_deadline()
        self._in_body = in_body
        self._taken = 0

    def _set_deadline(self) -> None:
        seconds = BODY_DEADLINE if self._in_body else HEAD_DEADLINE
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _is_all_answered(self) -> bool:
        # uvicorn's latest request; there is none before the first one, whatever its type says.
        return bool(getattr(self.cycle, "response_complete", True))

    def _refuse(self, why: str) -> NoReturn:
        """Stops the parser too: what follows in the same piece must not reach the application."""
        self.transport.abort()
        raise HttpParserError(why)
