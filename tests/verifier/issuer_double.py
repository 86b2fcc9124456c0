"""A scripted issuer behind a real loopback socket: its documents, and all that a server can do wrong."""

from __future__ import annotations

import base64
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import pytest

from keys import SigningKey
from tests.verifier import forge
from verifier import TokenError, Verifier, refresh
from verifier.status_list import TYP, StatusList

JWKS = "/.well-known/jwks.json"
LIST = "/status/1"
TOKEN = "/v1/token"
SOON = 10.0
"""Seconds within which the expected happens, however busy the machine is."""
_TLS = ssl.create_default_context()


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures and answers are followed by the next request at once."""
    monkeypatch.setattr(refresh, "_BACKOFF", (0.005, 0.01))
    monkeypatch.setattr(refresh, "_PAUSE", 0.01)
    # Made for every client, slowly, and never used over plain http.
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: _TLS)


def eventually(condition: Callable[[], object]) -> None:
    """Returns when `condition` holds."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def verdict(verifier: Verifier, token: str) -> str:
    """ "good", or the code of the refusal."""
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "good"


class IssuerDouble:
    """Serves one JWKS and one list as an issuer does, unless `answers` says otherwise for their path."""

    def __init__(self, *, up: bool = True, long_poll: bool = False, port: int = 0) -> None:
        """Without `up`, connections are refused until `open()`. Without `port`, it takes a free one."""
        self.answers: dict[str, Callable[[Request], None]] = {}
        self.long_poll = long_poll
        self.role_keys: dict[str, dict[str, Any]] = {}
        """By `access:secret` how the claims differ of the tokens that it is exchanged for."""
        self.seen: list[tuple[str, float, dict[str, str]]] = []
        """Path, time and headers of every request."""
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.jwks = forge.jwks()
        self.max_age = 300
        self.version = 0
        self.list = b""
        self.publish()
        if up:
            self.open()

    def open(self) -> None:
        self._server.server_activate()
        self._thread.start()

    def publish(self, *invalid: int, version: int | None = None, **options: Any) -> None:
        """Serves the list of the next version, or of `version`, from now on."""
        with self.changed:
            self.version = self.version + 1 if version is None else version
            self.list = self.sign(*invalid, version=self.version, **options)
            self.changed.notify_all()

    def sign(
        self,
        *invalid: int,
        version: int,
        signer: SigningKey | None = None,
        ttl: int = 300,
        lifetime: int = 3600,
        uri: str | None = None,
    ) -> bytes:
        """A list, not published."""
        now = int(time.time())
        content = StatusList.of(
            uri or self.url + LIST, invalid, version=version, now=now, ttl=ttl, lifetime=lifetime
        )
        return (signer or forge.key()).sign(content.to_payload(self.url), TYP).encode()

    def token(self, signer: SigningKey | None = None, **changes: Any) -> str:
        """A good token of this issuer, whose bit is that of `forge.INDEX`."""
        now = int(time.time())
        status = {"status_list": {"idx": forge.INDEX, "uri": self.url + LIST}}
        claims = forge.claims(**{"iss": self.url, "iat": now, "exp": now + 3600, "status": status} | changes)
        return (signer or forge.key()).sign(json.dumps(claims).encode(), "at+jwt")

    def verifier(self, **options: Any) -> Verifier:
        return Verifier(self.url, forge.AUDIENCE, **options)

    def times(self, path: str) -> list[float]:
        """When each request was seen."""
        return [at for seen, at, _ in self.seen if seen == path]

    def headers(self, path: str) -> list[dict[str, str]]:
        """Those of each request."""
        return [headers for seen, _, headers in self.seen if seen == path]

    def await_requests(self, path: str, count: int) -> None:
        """Returns when there were `count` in all."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.times(path)) >= count, SOON), "it was not asked"

    def await_more(self, path: str, count: int = 1) -> None:
        self.await_requests(path, len(self.times(path)) + count)

    def close(self) -> None:
        self.closing.set()
        with self.changed:
            self.changed.notify_all()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Request(BaseHTTPRequestHandler):
    """One request, as a scripted answer sees it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    @property
    def double(self) -> IssuerDouble:
        return self.server.double

    def do_POST(self) -> None:
        self.form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.do_GET()

    def do_GET(self) -> None:
        with self.double.changed:
            self.double.seen.append((self.path, time.monotonic(), dict(self.headers)))
            self.double.changed.notify_all()
        self.double.answers.get(self.path, as_issuer)(self)

    def send(self, body: bytes, status: int = 200, /, **headers: str) -> None:
        """A whole answer; "_" in the name of a header stands for "-"."""
        self.begin(len(body), status, **headers)
        self.wfile.write(body)

    def begin(self, length: int, status: int = 200, /, **headers: str) -> None:
        """The head of an answer of `length` bytes."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def hang(self) -> None:
        """Until the double is closed."""
        self.close_connection = True
        self.double.closing.wait()

    def log_message(self, *_: object) -> None:
        """Tests read `seen`."""


def as_issuer(request: Request) -> None:
    """The answer of an issuer in good order."""
    double = request.double
    if request.path == TOKEN:
        basic = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        changes = double.role_keys.get(basic)
        token = changes is not None and double.token(**{"aud": request.form["resource"]} | changes)
        body = {"access_token": token} if token else {"error": "invalid_client"}
        request.send(json.dumps(body).encode(), 200 if token else 401)
        return
    if request.path == JWKS:
        request.send(double.jwks, Cache_Control=f"max-age={double.max_age}")
        return
    headers = {}
    known = request.headers["If-None-Match"]
    with double.changed:
        if double.long_poll and request.headers["Prefer"] and known == f'"{double.version}"':
            headers["Preference_Applied"] = request.headers["Prefer"]
            double.changed.wait_for(lambda: double.closing.is_set() or known != f'"{double.version}"')
        document, etag = double.list, f'"{double.version}"'
    if known == etag:
        request.send(b"", 304, ETag=etag, **headers)
    else:
        request.send(document, ETag=etag, **headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() waits for all of them

    def __init__(self, double: IssuerDouble, port: int) -> None:
        super().__init__(("127.0.0.1", port), Request, bind_and_activate=False)
        self.double = double
        self._connections: list[socket.socket] = []
        # Not HTTPServer's: that asks the DNS for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def handle_error(self, *_: object) -> None:
        """A client that gives up is what many tests are about."""

    def hang_up(self) -> None:
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already
