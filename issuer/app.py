"""The whole wiring on one screen: routes, middleware, lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from issuer import health, published, tokens
from issuer.api import OPERATIONS
from issuer.api.openapi import get_openapi
from issuer.grants.token import get_token, post_token
from issuer.housekeeping import keep_house
from issuer.service import Service, open_service
from issuer.serving import before_stop
from issuer.settings import Settings
from issuer.setup import open_database, read_key_encryption_key
from issuer.telemetry import RequestLog, configure_logging

Handler = Callable[[Service, Request], Awaitable[Response]]


def make_app(settings: Settings) -> Starlette:
    """An issuer. Its routes come with its start, when there is a service for them to work with."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service = await open_service(settings, open_database(settings), read_key_encryption_key(settings))
        app.router.routes.extend(routes(service))
        before_stop(service.status.release)
        tasks = [asyncio.create_task(service.coherence.follow()), asyncio.create_task(keep_house(service))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await service.close()

    app = Starlette(
        lifespan=lifespan,
        middleware=[Middleware(RequestLog)],
        exception_handlers={HTTPException: _raise},
    )
    # A redirect would name the scheme seen here: behind a TLS proxy, plain http, and secrets would follow it.
    app.router.redirect_slashes = False
    return app


def routes(service: Service) -> list[BaseRoute]:
    def route(method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            return await handler(service, request)

        return Route(path, endpoint, methods=[method])

    return [
        route("POST", "/v1/token", post_token),
        route("GET", "/v1/token", get_token),
        route("GET", "/v1/me", tokens.get_me),
        route("POST", "/v1/introspect", tokens.post_introspect),
        route("POST", "/v1/revoke", tokens.post_revoke),
        route("GET", "/status/{number}", published.get_status_list),
        route("GET", "/.well-known/jwks.json", published.get_jwks),
        route("GET", "/.well-known/openid-configuration", published.get_metadata),
        route("GET", "/.well-known/oauth-authorization-server", published.get_metadata),
        route("GET", "/livez", health.livez),
        route("GET", "/readyz", health.readyz),
        route("GET", "/v1/openapi.json", get_openapi),
        *(operation.route(service) for operation in OPERATIONS),
    ]


def from_environment() -> Starlette:
    """What every worker process of the server calls."""
    configure_logging()
    return make_app(Settings())


def _raise(request: Request, error: Exception) -> Response:
    """The framework's own refusals leave through the same door as ours."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # A route has one method here, so the framework knows of the first only (RFC 9110 section 10.2.1).
        matching = [
            route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE
        ]
        methods = sorted({method for route in matching for method in route.methods})
        error.headers = {"Allow": ", ".join(methods)}
    raise error
