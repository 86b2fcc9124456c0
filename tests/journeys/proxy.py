"""A proxy between verifiers and the hosts of an issuer, which are asked by turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import httpx

_ASKED = ("If-None-Match", "Accept", "Prefer")
_ANSWERED = ("Content-Type", "Cache-Control", "ETag", "Vary", "Preference-Applied")
_TIMEOUT = 40


@dataclass(frozen=True)
class Passed:
    """A request that was answered through the proxy."""

    path: str
    at: float
    """time.monotonic(), of the question."""
    status: int
    etag: str


class Proxy:
    """Listens at `url` from the beginning; passes on to `upstreams`, by turns, once there are any."""

    def __init__(self, *, passes_preferences: bool) -> None:
        """Proxies of the older kind pass no preference on, so that nobody waits."""
        self.passed: list[Passed] = []
        self._asked = _ASKED if passes_preferences else _ASKED[:2]
        self._turns: Iterator[str] = iter(())
        self._turn = threading.Lock()
        self.server = _server(self)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def lead_to(self, *upstreams: str) -> None:
        self._turns = cycle(upstreams)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        at, given = time.monotonic(), request.headers
        with self._turn:
            upstream = next(self._turns)
        asked = {name: given[name] for name in self._asked if name in given}
        answer = httpx.get(upstream + request.path, headers=asked, timeout=_TIMEOUT)
        self.passed.append(Passed(request.path, at, answer.status_code, answer.headers.get("ETag", "")))
        request.send_response(answer.status_code)
        for name in _ANSWERED:
            if name in answer.headers:
                request.send_header(name, answer.headers[name])
        request.send_header("Content-Length", str(len(answer.content)))
        request.end_headers()
        request.wfile.write(answer.content)


@contextmanager
def serve_proxy(*, passes_preferences: bool) -> Iterator[Proxy]:
    """A proxy that runs until the end of the block."""
    proxy = Proxy(passes_preferences=passes_preferences)
    thread = threading.Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


def _server(proxy: Proxy) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            proxy.answer(self)

        def log_message(self, *_: object) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # a long poll ends when its issuer lets it go

        def handle_error(self, *_: object) -> None:
            """A verifier that is closed gives up its question."""

    return Server(("127.0.0.1", 0), Handler)
