"""The whole wiring on one screen: rows, middleware, lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import Router
from starlette.types import ASGIApp

from issuer import health, introspection, me, published, revocation
from issuer.api import OPERATIONS
from issuer.api.openapi import get_openapi
from issuer.api.presets import get_presets
from issuer.authorization import authorize, device
from issuer.console.pages import refusal_page
from issuer.console.rows import ROWS as PAGES
from issuer.gateway import entrance
from issuer.gateway.forward_auth import get_forward_auth
from issuer.grants.token import get_token, post_token
from issuer.hosts import AllowedHosts
from issuer.housekeeping import keep_house
from issuer.registry.token import get_registry_token, post_registry_token
from issuer.resources import Resources, Row
from issuer.serving import before_stop, open_patiently, stop_with_supervisor
from issuer.settings import Settings
from issuer.telemetry import RequestLog, configure_logging

ROWS = (
    Row("POST", "/v1/token", post_token),
    Row("GET", "/v1/token", get_token),
    Row("GET", "/v1/registry/token", get_registry_token),
    Row("POST", "/v1/registry/token", post_registry_token),
    Row("GET", "/v1/me", me.get_me),
    Row("GET", "/v1/userinfo", me.get_userinfo),
    Row("POST", "/v1/userinfo", me.get_userinfo),
    Row("GET", "/v1/forward-auth", get_forward_auth),
    *entrance.ROWS,
    Row("POST", "/v1/introspect", introspection.post_introspect),
    Row("POST", "/v1/revoke", revocation.post_revoke),
    *published.ROWS,
    Row("GET", "/livez", health.livez),
    Row("GET", "/readyz", health.readyz),
    Row("GET", "/v1/openapi.json", get_openapi),
    Row("GET", "/v1/presets", get_presets),
    *PAGES,
    *authorize.ROWS,
    *device.ROWS,
    *(Row(operation.method, operation.path, operation.respond) for operation in OPERATIONS),
)


def make_app(settings: Settings) -> ASGIApp:
    """An issuer. It answers from its start on, when there is a service to work with."""

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        stop_with_supervisor()
        service = await open_patiently(settings)
        resources.open(service, ROWS)
        before_stop(service.status.release)
        tasks = [asyncio.create_task(service.coherence.follow()), asyncio.create_task(keep_house(service))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await service.close()

    resources = Resources(lifespan, refusal_page)
    return RequestLog(AllowedHosts(resources, settings))


def from_environment() -> ASGIApp:
    """What every worker process of the server calls."""
    configure_logging()
    return make_app(Settings())
