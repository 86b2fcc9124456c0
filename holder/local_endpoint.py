"""A job's local endpoint: `GET /v1/token` as at the issuer, with no credential, for this user alone.

    curl --unix-socket "$HOURMARK_TOKEN_SOCKET" -H "Metadata: true" http://localhost/v1/token

A Unix socket, as the kernel keeps other users out: a port on loopback is everybody's, so it needs a secret,
which would then stand in command lines. What is left are programs of this user that can be talked into
asking: a proxy, a browser, a fetcher of URLs. Clouds' metadata services meet them with a header that a mere
URL cannot set, and refuse what was forwarded; so does this one. Nothing is ever answered with a redirect.
"""

from __future__ import annotations

import json
import math
import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from threading import Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from holder import reading
from holder.answers import IssuedToken
from holder.errors import HolderError, NotPermitted, SignInNeeded, Throttled, Unreachable
from holder.fresh_token import FreshToken
from verifier import strict_json

HEADER, HEADER_VALUE = "Metadata", "true"
_PATH, _HOST = "/v1/token", "localhost"
_ANEW = "no-cache"
"""Of Cache-Control: a token that was not given before (RFC 9111 section 5.2.1.4)."""
_MARKS = {
    "was forwarded": (
        *("via", "forwarded", "max-forwards", "cdn-loop", "proxy-.*", ".*-ip", "(cf|fastly|fly|akamai)-.*"),
        "x-(forwarded|original|rewrite|proxy|envoy|azure|arr|appengine)(-.*)?",
    ),
    "comes from a browser": (
        *("origin", "referer", "cookie", "dnt", "upgrade-insecure-requests", "access-control-.*"),
        "sec-(?!fetch-mode$).*",  # which Node's own fetch sends; what page asks, a browser alone says
    ),
    "is more than a question": ("authorization", "transfer-encoding", "expect", "upgrade", "te", "trailer"),
}
"""What is wrong with a request, and the headers that show it. All else that clients send by themselves, for
tracing too, says nothing of who asks."""
_REFUSED = {what: re.compile("|".join(names)) for what, names in _MARKS.items()}
_PARAMETERS = {"scope", "resource"}
_MAX_TOKENS = 64
_MAX_BYTES = 64 * 1024
_SILENCE_SECONDS = 10
_PATIENCE_SECONDS = 30
"""It may have to ask the issuer first."""
_END_SECONDS = 0.1
"""How long its end may take."""
_STATUS: tuple[tuple[type[HolderError], int], ...] = (
    (SignInNeeded, 401),
    (NotPermitted, 403),
    (Throttled, 429),
    (Unreachable, 503),
    (HolderError, 400),
)
_RETRIED = (429, 503)
Make = Callable[[str | None, str | None], FreshToken]
"""From resource and scope to a token that stays fresh."""


def ask(path: str, *, resource: str | None, scope: str | None, is_fresh: bool) -> IssuedToken:
    """What the endpoint at `path` gives a program in the job. Raises HolderError.

    is_fresh: whether it must be another token than before.
    """
    headers = {HEADER: HEADER_VALUE} | ({"Cache-Control": _ANEW} if is_fresh else {})
    asked = {name: value for name, value in (("resource", resource), ("scope", scope)) if value is not None}
    try:
        with closing(_Connection(path)) as connection:
            connection.request("GET", f"{_PATH}?{urlencode(asked)}", headers=headers)
            answer = connection.getresponse()
            body = strict_json.parse_object(answer.read(_MAX_BYTES))
        if answer.status == 200:
            return reading.read(IssuedToken, body)
        kind = {status: kind for kind, status in _STATUS}[answer.status]
        code, why = str(body["error"]), str(body["error_description"])
        retry_after = int(answer.headers.get("Retry-After", "0")) or None
    except OSError as error:
        raise _gone(path, error.strerror or str(error)) from None
    except (HTTPException, ValueError, KeyError):
        raise _gone(path, "something else answers there") from None
    raise kind("The job gives no token", why, "hourmark status", code=code, retry_after=retry_after)


class _Connection(HTTPConnection):
    """To a socket of this machine: no proxy, no redirect, no other host comes into question."""

    def __init__(self, path: str) -> None:
        super().__init__(_HOST, timeout=_PATIENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _gone(path: str, why: str) -> Unreachable:
    return Unreachable(
        f"The job's local endpoint {path} does not answer",
        why,
        "it ends with the launcher: start the job again with hourmark job new",
        code="no_local_endpoint",
    )


class TokenServer:
    """Serves the endpoint until the end of the block."""

    def __init__(self, path: Path, make: Make) -> None:
        self._path = path
        self._make = make
        self._tokens: dict[tuple[str | None, str | None], FreshToken] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Raises HolderError if there can be no socket."""
        try:
            self._server = _Server(str(self._path), _Handler)
            self._path.chmod(0o600)
        except OSError as error:
            raise HolderError(
                "The job's local endpoint cannot be served",
                f"{self._path}: {error.strerror or error}",  # a path that is too long has no number
                "set TMPDIR to a short path on this machine's own disk",
                code="no_local_endpoint",
            ) from None
        self._server.token = self.token
        serve = partial(self._server.serve_forever, _END_SECONDS)
        Thread(target=serve, name="hourmark-token-socket", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    def token(self, resource: str | None, scope: str | None) -> FreshToken:
        """One for each that was asked for: the longest unused one is forgotten where they become many."""
        with self._lock:
            token = self._tokens.pop((resource, scope), None) or self._make(resource, scope)
            self._tokens[resource, scope] = token
            if len(self._tokens) > _MAX_TOKENS:
                del self._tokens[next(iter(self._tokens))]
            return token


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    token: Make


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SILENCE_SECONDS

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        if (why := _refusal(self.headers)) is not None:
            self._refuse(403, "access_denied", why)
            return
        if target.scheme or target.netloc or target.path != _PATH:
            self._refuse(404, "not_found", f"here is {_PATH} alone")
            return
        pairs = parse_qsl(target.query, keep_blank_values=True)
        asked = dict(pairs)
        if len(asked) != len(pairs) or asked.keys() - _PARAMETERS:
            self._refuse(400, "invalid_request", "the query has resource and scope, each once at most")
            return
        token = self.server.token(asked.get("resource"), asked.get("scope"))
        is_anew = self.headers.get("Cache-Control", "").strip().lower() == _ANEW
        known = token.at_hand() if is_anew else None
        try:
            issued = token.get(refused=None if known is None else known.access_token)
        except HolderError as error:
            status = next(status for kind, status in _STATUS if isinstance(error, kind))
            self._refuse(status, error.code, str(error), error.retry_after)
            return
        self._answer(200, asdict(issued))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request, and any other method than GET."""
        del explain
        if code == 501:
            self._refuse(405, "method_not_allowed", "a token is got with GET")
        else:
            self._refuse(code, "invalid_request", message or "that is no request")

    def _refuse(self, status: int, error: str, why: str, retry_after: float | None = None) -> None:
        pause = math.ceil(retry_after) if retry_after and status in _RETRIED else None
        self._answer(status, {"error": error, "error_description": why}, pause)

    def _answer(self, status: int, body: dict[str, object], retry_after: int | None = None) -> None:
        content = json.dumps(body).encode()
        with suppress(OSError):  # who asked has left
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            if retry_after is not None:
                self.send_header("Retry-After", str(retry_after))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """The command's own output is not ours to write to."""


def _refusal(headers: Message) -> str | None:
    """Why the request is not one of a program that means to ask here."""
    for name in map(str.lower, headers.keys()):
        for what, names in _REFUSED.items():
            if names.fullmatch(name):
                return f"a request with {name} {what}: leave it out, and ask this endpoint itself"
    if headers.get("Content-Length", "0") != "0":
        return "a request with a body is more than a question: send none"
    if headers.get_all("Host") != [_HOST]:
        return f"the Host is not {_HOST}"
    if headers.get_all(HEADER) != [HEADER_VALUE]:
        return f"the header {HEADER}: {HEADER_VALUE} is missing"
    return None
