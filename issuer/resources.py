"""From a path to its resource, and from a method to the handler that answers it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from issuer.denials import Denial, dialect
from issuer.service import Service
from issuer.telemetry import REFUSE

OTHER_THAN_IT_LOOKS = re.compile(rb"%2f|%0a|%0d", re.IGNORECASE)
"""A path with one of these is nobody's."""
Refuse = Callable[..., Response]
"""As `denials.answer`."""
Handler = Callable[[Service, Request], Awaitable[Response]]


class Row(NamedTuple):
    """What answers one method of one path."""

    method: str
    path: str
    handler: Handler


class Resource:
    """One path with the handlers of its methods."""

    def __init__(
        self, service: Service, path: str, handlers: Mapping[str, Handler], refusal_page: Refuse
    ) -> None:
        self.path = path
        self._refusal_page = refusal_page
        self._service = service
        self._handlers = dict(handlers)
        if "GET" in handlers:
            # The server leaves the body out (RFC 9110 section 9.3.2).
            self._handlers.setdefault("HEAD", handlers["GET"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["hourmark.path"] = self.path
        handler = self._handlers.get(scope["method"])
        if handler is None:
            _refuse_browsers(scope, self._refusal_page)
            allow = {"Allow": ", ".join(sorted(self._handlers))}
            raise Denial("method_not_allowed", "this path does not take this method", headers=allow)
        answer = await handler(self._service, Request(scope, receive, send))
        await answer(scope, receive, send)


class Resources:
    """All of them: found by a look-up where the path has no parameter, else by Starlette's patterns."""

    def __init__(self, lifespan: Lifespan[Router], refusal_page: Refuse) -> None:
        """refusal_page: what people get who follow a link to nowhere."""
        self._refusal_page = refusal_page
        # A redirect would name the scheme seen here, behind a proxy plain http, and secrets would follow it.
        self._patterns = Router(lifespan=lifespan, default=self._nothing_here, redirect_slashes=False)
        self._exact: dict[bytes, Resource] = {}

    def open(self, service: Service, rows: Iterable[Row]) -> None:
        """From now on requests are answered: there is a service for them to work with."""
        handlers: dict[str, dict[str, Handler]] = {}
        for row in rows:
            handlers.setdefault(row.path, {})[row.method] = row.handler
        for path, by_method in handlers.items():
            resource = Resource(service, path, by_method, self._refusal_page)
            if "{" in path:
                self._patterns.routes.append(Route(path, resource))
            else:
                self._exact[path.encode()] = resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._patterns
        if scope["type"] == "http":
            # As it was sent: a proxy in front may have taken it for another path (RFC 3986 section 6.2.2).
            raw = scope["raw_path"]
            app = self._exact.get(raw) or (
                self._nothing_here if OTHER_THAN_IT_LOOKS.search(raw) else self._patterns
            )
        await app(scope, receive, send)

    async def _nothing_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        _refuse_browsers(scope, self._refusal_page)
        raise Denial("not_found", "there is nothing at this path")


def _refuse_browsers(scope: Scope, refusal_page: Refuse) -> None:
    """With a page, if one is asked for: browsers do, and no program that reads problems does."""
    accepted = dict(scope["headers"]).get(b"accept", b"")
    if b"text/html" in accepted and dialect(scope["path"]) == "problem":
        scope[REFUSE] = refusal_page
