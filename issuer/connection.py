"""What one connection may cost: uvicorn itself waits and reads for ever."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from issuer.denials import Denial

HEAD_DEADLINE = 10.0
"""Seconds for a whole request line and headers, from the connection or the first byte after an answer."""
BODY_DEADLINE = 20.0
"""Seconds from the head to the end of the message: later than issuer.body's, which says what is wrong."""
READ_DEADLINE = 30.0
"""Seconds for a client to take what its answer's buffer cannot hold."""
MAX_HEAD_BYTES = 64 * 1024
MAX_DRAINED_BYTES = 4 * 1024 * 1024
"""Of a longer head, so that its client, which sends all before it reads, comes to read why it is refused."""
MAX_BODY_BYTES = 512 * 1024
"""As sent, with chunk sizes and trailer, read or not: whoever reads a body bounds it closer, and says so."""
MAX_WAITING = 16
"""Requests behind the one that is answered: uvicorn queues as many as a read holds, and reads per answer."""
WHOLE = "hourmark.whole"
"""In the scope of a request whose message came to its end before anybody waited for it."""
REFUSED = "hourmark.refused"
"""In the scope of a request that its connection refuses: why. Such a scope is not whole."""
_PIECE = 4096
"""Bytes parsed between two looks at the bounds, which are exact to this."""


class BoundedConnection(HttpToolsProtocol):
    """Aborts a connection whose message does not end in time or size, which carries trailer fields, or whose
    client does not read. Whoever sends too long a head is told so before.

    There is a deadline whenever the client owes us something: the rest of a message, or, once all is
    answered, the head it began. uvicorn's keep-alive is for silence; any byte ends it, even an empty line.
    A request that comes whole in one read sets no timer, and none runs while its answer is awaited.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _in_body = False
    _is_refused = False
    """Whether what comes is not looked at any more."""
    _taken = 0
    """Bytes since the current head or body began."""
    url = b""
    """Of the head that has begun, as far as it is there; none between heads."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        # Counted here and not in the callbacks: those hear of a header's value only when it is complete.
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            self._taken += len(piece)
            if not self._is_refused:
                if not self._in_body and self._taken > MAX_HEAD_BYTES:
                    self._refuse_head()
                else:
                    super().data_received(piece)
            if self._taken > self._bound():
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
        self.url = b""
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

    def _bound(self) -> int:
        if self._is_refused:
            return MAX_HEAD_BYTES + MAX_DRAINED_BYTES
        return MAX_BODY_BYTES if self._in_body else MAX_HEAD_BYTES

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

    def _refuse_head(self) -> None:
        """Has the application answer, which knows what clients of a path read; nothing is parsed any more."""
        if not self.url or not self._is_all_answered():
            self.transport.abort()
            return
        self._is_refused = True
        self._end_deadline()
        self._set_deadline()
        self.url = self.url.partition(b"?")[0][:_PIECE]
        self.scope[REFUSED] = Denial(  # type: ignore[literal-required]  # a key of our own
            "head_too_large",
            f"the request's line and headers are longer than {MAX_HEAD_BYTES} bytes: ask for less at once",
            headers={"Connection": "close"},
        )
        try:
            super().on_headers_complete()
        except HttpParserError:  # what has been sent of the URL is none
            self.transport.abort()
        else:
            self.cycle.transport = _HalfClosing(self.transport)

    def _refuse(self, why: str) -> NoReturn:
        """Stops the parser too: what follows in the same piece must not reach the application."""
        self.transport.abort()
        raise HttpParserError(why)


class _HalfClosing(asyncio.Transport):
    """Ends what is sent, and not what is received: whoever closes on bytes that it has not read resets the
    connection, and its last answer with it (RFC 9112 section 9.6). The deadline ends the rest.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.write_eof()
