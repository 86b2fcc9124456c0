"""Requests as no client library sends them: byte by byte, without end, from another address."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

import httpx

_PIECE = b"x" * 8192
_ENOUGH = 8 * 1024 * 1024
_SECONDS = 20.0


@dataclass(frozen=True)
class Flooded:
    """What came of a request that never ends."""

    accepted: int
    """Bytes that left here before the server closed: read by it, or in the kernel's buffers."""
    status: int
    head: str
    body: str
    was_closed: bool


def flood(url: str, head: str, *, chunked: bool = False) -> Flooded:
    """Sends `head`, then a body until the server closes, or until it clearly does not."""
    pieces = cycle([b"2000\r\n", _PIECE, b"\r\n"] if chunked else [_PIECE])
    accepted, answer, was_closed = 0, b"", False
    with _connect(url) as client:
        client.sendall(head.replace("\n", "\r\n").encode())
        piece = next(pieces)
        while accepted < _ENOUGH:
            readable, writable, _ = select.select([client], [client], [], _SECONDS)
            try:
                if readable:
                    received = client.recv(65536)
                    answer += received
                    was_closed = not received
                elif writable:
                    sent = client.send(piece)
                    accepted += sent
                    piece = piece[sent:] or next(pieces)
                else:
                    break
            except (ConnectionResetError, BrokenPipeError):
                was_closed = True
            if was_closed:
                break
    text, _, body = answer.decode().partition("\r\n\r\n")
    return Flooded(accepted, int(text.split(" ", 2)[1]), text.lower(), body, was_closed)


@dataclass(frozen=True)
class Unfinished:
    """A request of which the last byte has not been sent yet."""

    client: socket.socket
    rest: bytes

    def finish(self) -> tuple[int, str]:
        """Sends it; returns status and body."""
        self.client.sendall(self.rest)
        answer = b""
        while b"}" not in answer and (received := self.client.recv(65536)):
            answer += received
        return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2].decode()


@contextmanager
def unfinished(url: str, path: str, credential: str, body: bytes) -> Iterator[Unfinished]:
    """A JSON POST that the server has begun to work on."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=_SECONDS) as client:
        head = f"POST {path} HTTP/1.1\nHost: localhost\nAuthorization: Bearer {credential}\n"
        head += f"Content-Type: application/json\nContent-Length: {len(body)}\n\n"
        client.sendall(head.replace("\n", "\r\n").encode() + body[:-1])
        time.sleep(0.2)  # the caller has been looked at by then
        yield Unfinished(client, body[-1:])


def raw_answer(url: str, request: str) -> str:
    """The beginning of the answer to a request that no client library would send."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=_SECONDS) as client:
        client.sendall(request.encode())
        return client.recv(65536).decode()


def last_answer(url: str, request: str) -> str:
    """The whole answer, to its connection's end, to a request that is sent before anything is read."""
    address = urlsplit(url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=_SECONDS) as client:
        client.sendall(request.encode())
        while received := client.recv(65536):
            answer += received
    return answer.decode()


def _connect(url: str) -> socket.socket:
    """Small buffers, so that what the kernel holds is little beside what the server reads."""
    address = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    client.connect((address.hostname, address.port))
    client.setblocking(False)
    return client


def client_at(url: str, source: str) -> httpx.Client:
    """A client whose requests come from `source`, one of the many loopback addresses."""
    transport = httpx.HTTPTransport(local_address=source)
    return httpx.Client(base_url=url, transport=transport, timeout=10)
