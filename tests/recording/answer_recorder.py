"""Writes every answer of an issuer into a file, in the issuer's own process.

The line of an answer is written before the end of the answer is sent: whoever has the one finds the other.
An answer that was begun and never ended has no line.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SERVERS_OWN = (500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error")
"""What uvicorn answers for an application that raises instead."""


def find(name: str, path: Sequence[str] | None, folder: str) -> ModuleSpec | None:
    """The module `issuer.app`, whose applications will record what they answer in that folder."""
    spec = PathFinder.find_spec(name, path)
    if spec is not None and spec.origin is not None:
        spec.loader = _Loader(name, spec.origin, folder)
    return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, origin: str, folder: str) -> None:
        super().__init__(name, origin)
        self._folder = folder

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        make = module.from_environment
        vars(module)["from_environment"] = lambda: Recorder(make(), self._folder)


class Recorder:
    """An application that records what another one answers."""

    def __init__(self, app: ASGIApp, folder: str) -> None:
        self._app = app
        # The number of a process is used again; its file is not.
        name = f"{os.getpid()}-{time.time_ns()}"
        self._file = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held: list[Message] = []
        start: Message = {}
        body = bytearray()

        async def release() -> None:
            while held:
                await send(held.pop())

        async def send_recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Where no body follows, the head is all that a client waits for.
                start.update(message)
                held.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                self._write(scope, start["status"], start["headers"], body)
            await release()
            await send(message)

        try:
            await self._app(scope, receive, send_recorded)
        except BaseException:
            if not start:
                self._write(scope, *_SERVERS_OWN)
            await release()
            raise

    def _write(
        self, scope: Scope, status: int, headers: Iterable[Sequence[bytes]], body: bytes | bytearray
    ) -> None:
        line = {
            "method": scope["method"],
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "status": status,
            "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            "body": base64.b64encode(body).decode(),
        }
        # In one piece: who is killed leaves half a line at most, and nothing behind it.
        os.write(self._file, json.dumps(line).encode() + b"\n")
