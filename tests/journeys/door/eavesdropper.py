"""Somebody between a browser and every server, who keeps each byte of what the browser is answered."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_SECONDS = 10.0
_UNREADABLE_TO_US = "accept-encoding:"
_PER_CONNECTION = ("connection:", "proxy-connection:")


class Eavesdropper(socketserver.ThreadingTCPServer):
    """A forward proxy for plain HTTP. All that it leads to is on this machine, whatever its name."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self._heard: list[bytes] = []

    @property
    def for_browsers(self) -> dict[str, str]:
        """The option of a browser context; without the second member names of this machine go past it."""
        return {"server": f"http://127.0.0.1:{self.server_address[1]}", "bypass": "<-loopback>"}

    @property
    def heard(self) -> bytes:
        return b"\n".join(self._heard)

    def hear(self, answer: bytes) -> None:
        self._heard.append(answer)


class _Exchange(socketserver.StreamRequestHandler):
    """One request, and its answer: the connection is not used again."""

    server: Eavesdropper

    def handle(self) -> None:
        first, *lines = iter(lambda: self.rfile.readline().decode("latin-1").rstrip("\r\n"), "")
        method, target, version = first.split(" ")
        url = urlsplit(target)
        kept = [line for line in lines if not line.lower().startswith((_UNREADABLE_TO_US, *_PER_CONNECTION))]
        length = sum(int(line[15:]) for line in kept if line.lower().startswith("content-length:"))
        path = target.partition(url.netloc)[2] or "/"
        head = "\r\n".join((f"{method} {path} {version}", *kept, "Connection: close", "", ""))
        with socket.create_connection(("127.0.0.1", url.port or 80), timeout=_SECONDS) as there:
            there.sendall(head.encode("latin-1") + self.rfile.read(length))
            answer = b"".join(iter(lambda: there.recv(65536), b""))
        self.server.hear(answer)
        self.wfile.write(answer)


@contextmanager
def eavesdropping() -> Iterator[Eavesdropper]:
    with Eavesdropper() as opened:
        threading.Thread(target=opened.serve_forever, args=(0.05,), daemon=True).start()
        yield opened
        opened.shutdown()
