"""A proxy between verifiers and an issuer, of the older kind: it passes no preference on, so nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

_ASKED = ("If-None-Match", "Accept")
_ANSWERED = ("Content-Type", "Cache-Control", "ETag", "Vary")


class Proxy:
    """Listens at `url` from the beginning; passes on to `upstream` once that is set."""

    def __init__(self) -> None:
        self.upstream = ""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = {name: self.headers[name] for name in _ASKED if name in self.headers}
                answer = httpx.get(proxy.upstream + self.path, headers=asked)
                self.send_response(answer.status_code)
                for name in _ANSWERED:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def serve_proxy() -> Iterator[Proxy]:
    """A proxy that runs until the end of the block."""
    proxy = Proxy()
    thread = Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()
