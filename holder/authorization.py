"""Signing a user in: in a browser on this computer (RFC 6749, RFC 7636, RFC 8252), or on any (RFC 8628).

The sign-in is for no service in particular, so that its tokens have the issuer's default audience as those of
a role key do; the first token is asked for the issuer itself (RFC 8707), which answers who has signed in.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from holder.answers import DeviceAuthorization, Granted
from holder.authorization_server import AuthorizationServer
from holder.errors import HolderError, SignInNeeded, Unreachable

CLIENT_ID = "hourmark-cli"
SCOPE = "openid offline_access *"
"""Everything that the user may do."""
_WAIT_SECONDS = 300
_LONGEST_PAUSE_SECONDS = 30
_SILENCE_SECONDS = 10
_CALLBACK = "/callback"
_CLOSING_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Signed in</title>"
    "<h1>{0}</h1><p>You can close this page and go back to your terminal."
)
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def by_browser(issuer: AuthorizationServer, show: Callable[[str], None]) -> Granted:
    """show: opens the URL, or tells the user to. Raises HolderError."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    digest = hashlib.sha256(verifier.encode()).digest()
    with _Loopback(state) as loopback:
        asked = {
            "client_id": CLIENT_ID,
            "redirect_uri": loopback.uri,
            "response_type": "code",
            "scope": SCOPE,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        show(f"{issuer.endpoint('authorization_endpoint')}?{urlencode(asked)}")
        answer = loopback.wait()
    if answer.get("iss") != issuer.url:  # RFC 9207: another issuer's answer is not for us
        raise HolderError(
            "What came back from the browser is not what was asked for",
            "another issuer answered",
            "hourmark login --web",
            code="wrong_answer",
        )
    if "code" not in answer:
        raise _refused(answer.get("error", ""), answer.get("error_description", ""))
    return issuer.grant(
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": loopback.uri,
            "code_verifier": verifier,
            "client_id": CLIENT_ID,
            "resource": issuer.url,
        }
    )


def by_device(issuer: AuthorizationServer, show: Callable[[DeviceAuthorization], None]) -> Granted:
    """show: tells the user where to type which code. Raises HolderError."""
    begun = issuer.begin_device({"client_id": CLIENT_ID, "scope": SCOPE})
    show(begun)
    interval, ends_at = max(begun.interval, 1), time.monotonic() + begun.expires_in
    asked = {
        "grant_type": _DEVICE_CODE,
        "device_code": begun.device_code,
        "client_id": CLIENT_ID,
        "resource": issuer.url,
    }
    unreachable: Unreachable | None = None
    while (left := ends_at - time.monotonic()) > 0:
        time.sleep(min(interval, left))
        unreachable = None
        try:
            return issuer.grant(asked)
        except Unreachable as error:
            # RFC 8628 section 3.5: asked less often, until the code ends. It may be approved just now.
            unreachable, interval = error, min(2 * interval, _LONGEST_PAUSE_SECONDS)
        except HolderError as error:
            if error.code == "slow_down":
                interval += 5
            elif error.code in ("access_denied", "expired_token"):
                raise _refused(error.code, error.why) from None
            elif error.code != "authorization_pending":
                raise
    raise unreachable or _refused("expired_token", "nobody approved it in time")


def refresh(
    issuer: AuthorizationServer, refresh_token: str, resource: str | None, scope: str | None
) -> Granted:
    """The next token. Raises SignInNeeded if the sign-in has ended."""
    asked = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": CLIENT_ID,
        "resource": resource,
        "scope": scope,
    }
    try:
        return issuer.grant({name: text for name, text in asked.items() if text is not None})
    except HolderError as error:
        if error.code != "invalid_grant":
            raise
        raise SignInNeeded(
            "You are signed out",
            "the sign-in has ended: it was ended elsewhere, or is too old",
            "hourmark login",
            code="signed_out",
        ) from None


def revoke(issuer: AuthorizationServer, refresh_token: str) -> None:
    """Ends the sign-in, with its tokens. Raises HolderError."""
    issuer.revoke({"token": refresh_token, "client_id": CLIENT_ID})


def _refused(code: str, why: str) -> SignInNeeded:
    return SignInNeeded("You were not signed in", why or code, "hourmark login", code=code or "no_code")


class _Loopback:
    """Where the browser comes back to: a random port here, for the answer to our question alone."""

    def __init__(self, state: str) -> None:
        answers: SimpleQueue[dict[str, str]] = SimpleQueue()

        class Handler(BaseHTTPRequestHandler):
            timeout = _SILENCE_SECONDS

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                answer = dict(parse_qsl(url.query))
                # Any page can send a browser here; nobody but the issuer knows what was asked.
                if url.path != _CALLBACK or not secrets.compare_digest(
                    answer.get("state", "").encode(), state.encode()
                ):
                    self.send_error(404)
                    return
                answers.put(answer)
                said = "You are signed in" if "code" in answer else "You were not signed in"
                body = _CLOSING_PAGE.format(said).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Nothing: a code is in the path."""

        self._answers = answers
        # A thread a connection: one that says nothing keeps nobody waiting.
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{_CALLBACK}"

    def wait(self) -> dict[str, str]:
        """What the browser brought. Raises SignInNeeded if it does not come."""
        try:
            return self._answers.get(timeout=_WAIT_SECONDS)
        except Empty:
            raise _refused(
                "timeout", f"nobody came back from the browser within {_WAIT_SECONDS} seconds"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
