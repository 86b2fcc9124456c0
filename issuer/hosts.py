"""Which hosts the issuer answers to, so that no page reaches it under a name of its own (DNS rebinding)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from issuer.denials import Denial
from issuer.settings import Settings

# Whoever probes a process calls it by its address, and learns nothing.
_ANY_HOST = frozenset({"/livez", "/readyz"})
_FORM = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class AllowedHosts:
    """Refuses requests for other hosts (RFC 9110 section 15.5.20)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._allowed = allowed_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _ANY_HOST:
            named = [value for name, value in scope["headers"] if name == b"host"]
            # Of two another server may have believed the other one (RFC 9112 section 3.2).
            if len(named) != 1 or _host(named[0]) not in self._allowed:
                raise Denial(
                    "misdirected_request",
                    "this issuer does not answer to that host: call it by its own URL, "
                    "or have its operator add the name to HOURMARKD_ALLOWED_HOSTS",
                )
        await self._app(scope, receive, send)


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Names and addresses without ports, in lower case."""
    named = (urlsplit(settings.issuer_url).hostname or "", settings.host, *settings.allowed_hosts)
    return frozenset({*_LOOPBACK, *(f"[{host}]" if ":" in host else host for host in map(str.lower, named))})


def _host(header: bytes) -> str | None:
    """The host of a Host header, without its port; None for what is no such header."""
    match = _FORM.fullmatch(header)
    return match[1].decode().lower() if match else None
