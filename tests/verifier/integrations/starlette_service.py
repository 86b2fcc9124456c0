"""In Starlette, with handlers of every kind."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.verifier.integrations.world import LABELS, PUBLIC, submitted, told
from verifier import Verifier
from verifier.integrations.starlette import TokenMiddleware, requires
from verifier.role_keys import RoleKeys


async def who(request: Request) -> JSONResponse:
    return JSONResponse(told(request.state.token))


@requires("data:get")
def every(request: Request) -> JSONResponse:
    return JSONResponse(told(request.state.token))


class Data(HTTPEndpoint):
    @requires("data:get", "{workspace}")
    async def get(self, request: Request) -> JSONResponse:
        return JSONResponse(told(request.state.token))


async def app_(request: Request) -> JSONResponse:
    request.state.token.require("app:query", request.path_params["name"], LABELS)
    return JSONResponse(told(request.state.token))


@requires("app:create")
async def labels(request: Request) -> JSONResponse:
    return JSONResponse(submitted(request.path_params["name"]))


def service(verifier: Verifier, role_keys: RoleKeys | None = None) -> ASGIApp:
    routes = [
        Route("/livez", who),
        Route("/who", who),
        Route("/all", every),
        Route("/data/{workspace}", Data),
        Route("/apps/{name}", app_),
        Route("/labels/{name}", labels),
    ]
    tokens = Middleware(TokenMiddleware, verifier=verifier, role_keys=role_keys, public=PUBLIC)
    return Starlette(routes=routes, middleware=[tokens])
