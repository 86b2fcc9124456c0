"""One structured log line a request, with its id; and the door through which every refusal leaves.

The line names the route, never the raw path, and what `note` added: token ids, never tokens.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issuer import denials
from issuer.connection import REFUSED
from issuer.identifiers import new_request_id

# Hexadecimal as trace ids and UUIDs are: nothing that could be a secret put in the wrong place.
_GIVEN_ID = re.compile(rb"[0-9A-Fa-f-]{8,64}")
REFUSE = "hourmark.refuse"
"""In the scope of a request whose refusals are not those of `denials.answer`: what makes them instead."""
_QUIET = frozenset({"/livez", "/readyz"})

logger = structlog.get_logger()


def configure_logging() -> None:
    """JSON lines on stderr, from structlog and from the standard library alike."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(
                serializer=lambda value, **_: orjson.dumps(value).decode()
            ),
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def note(request_scope: MutableMapping[str, Any], /, **fields: object) -> None:
    """Adds to the request's log line."""
    request_scope["hourmark.note"].update(fields)


class RequestLog:
    """Gives every request its id, its line and, when something is refused, its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lines: list[bytes] = []
        self._process = os.getpid()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        noted = scope["hourmark.note"] = {}
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        try:
            if REFUSED in scope:
                raise scope[REFUSED]
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:
                raise
            refused = denials.refusal(error)
            noted["refused"] = getattr(getattr(error, "error", None), "code", refused.code)
            if refused.code == "server_error":
                logger.exception("server_error", request_id=request_id.decode())
            refuse = scope.get(REFUSE, denials.answer)
            answer = refuse(error, path=scope["path"], request_id=request_id.decode())
            await answer(scope, receive, send_with_id)
        finally:
            path = scope.get("hourmark.path")
            if path not in _QUIET:
                self._write(
                    {
                        "event": "request",
                        "process": self._process,
                        "request_id": request_id.decode(),
                        "method": scope["method"],
                        "route": path,
                        "status": status,
                        "milliseconds": round((time.perf_counter() - began) * 1000, 2),
                        "source": source(scope),
                        **noted,
                        "level": "info",
                        "timestamp": datetime.now(UTC),
                    }
                )

    def _write(self, line: dict[str, object]) -> None:
        """As all lines look. The way of the others costs more than everything that is in this one.

        What is answered in one turn of the event loop is written in one go.
        """
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        sys.stderr.buffer.write(b"".join(lines))
        sys.stderr.buffer.flush()


def source(scope: Scope) -> str:
    """The address that a request comes from; behind a trusted proxy, the one that the proxy names."""
    client = scope.get("client")
    return client[0] if client else "local"


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
            return bytes(value)
    return new_request_id()
