"""A server of another tool, as little of it as a test needs."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler], *, pem: Path | None = None) -> Iterator[str]:
    """Gives host and port. pem: certificate and key, of a server that speaks TLS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
