"""A small platform, as somebody would write it: apps and jobs with labels, and data, behind our middleware.

    POST   /{kind}                 submit {"name", "labels"}: gets what its token's selector asks for
    GET    /{kind}                 those that the token reaches
    GET    /{kind}/{name}          one
    DELETE /{kind}/{name}
    PUT    /{kind}/{name}/labels   within reach before and after
    POST   /{kind}/{name}/query    what it serves
    GET    /data/{workspace}       what is in it, and who is told so

A kind is `app` or `job`. Everything is kept in memory. It is served by
`python -m tests.journeys.platform_service ISSUER AUDIENCE PORT`.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import asdict, dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from verifier import Token, Verifier
from verifier.integrations.starlette import TokenMiddleware, requires
from verifier.labels import as_submitted, changed
from verifier.role_keys import RoleKeys

KINDS = ("app", "job")


@dataclass
class Resource:
    name: str
    labels: dict[str, str]


class Platform:
    """The handlers, and what they serve."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Resource] = {}
        self._numbers = itertools.count(1)

    def routes(self) -> list[Route]:
        return [
            Route("/livez", self.livez),
            Route("/data/{workspace}", self.data),
            Route("/{kind}", self.submit, methods=["POST"]),
            Route("/{kind}", self.list_all),
            Route("/{kind}/{name}", self.get),
            Route("/{kind}/{name}", self.delete, methods=["DELETE"]),
            Route("/{kind}/{name}/labels", self.label, methods=["PUT"]),
            Route("/{kind}/{name}/query", self.query, methods=["POST"]),
        ]

    async def livez(self, _: Request) -> Response:
        return Response("alive")

    @requires("data:get", "urn:hourmark:data:{workspace}")
    async def data(self, request: Request) -> JSONResponse:
        token: Token = request.state.token
        workspace = request.path_params["workspace"]
        return JSONResponse({"workspace": workspace, "for": token.subject, "by": token.actor})

    async def submit(self, request: Request) -> JSONResponse:
        kind, asked = _kind(request), await request.json()
        if (kind, asked["name"]) in self._all:
            raise HTTPException(409, f"there is a {kind} {asked['name']} already")
        own = f"{kind}_{next(self._numbers)}"
        submitted = as_submitted(asked.get("labels", {}), resource_id=own, resource_type=kind)
        labels = _token(request).stamp(f"{kind}:create", asked["name"], submitted)
        self._all[kind, asked["name"]] = made = Resource(asked["name"], labels)
        return JSONResponse(asdict(made), 201)

    async def list_all(self, request: Request) -> JSONResponse:
        kind, scope = _kind(request), _token(request).scope
        of_kind = [each for (other, _), each in self._all.items() if other == kind]
        reached = [each for each in of_kind if scope.covers(f"{kind}:get", each.name, each.labels)]
        return JSONResponse([asdict(each) for each in reached])

    async def get(self, request: Request) -> JSONResponse:
        return JSONResponse(asdict(self._reached(request, "get")))

    async def query(self, request: Request) -> JSONResponse:
        found = self._reached(request, "query")
        return JSONResponse({"answer": f"{found.name} was asked", "for": _token(request).subject})

    async def label(self, request: Request) -> JSONResponse:
        found, kind = self._reached(request, "label"), _kind(request)
        labels = changed(await request.json(), found.labels)
        _token(request).require(f"{kind}:label", found.name, labels)
        found.labels = labels
        return JSONResponse(asdict(found))

    async def delete(self, request: Request) -> JSONResponse:
        found = self._reached(request, "delete")
        return JSONResponse(asdict(self._all.pop((_kind(request), found.name))))

    def _reached(self, request: Request, verb: str) -> Resource:
        kind, name = _kind(request), request.path_params["name"]
        found = self._all.get((kind, name))
        if found is None:
            raise HTTPException(404, f"there is no {kind} {name}")
        _token(request).require(f"{kind}:{verb}", name, found.labels)
        return found


def _kind(request: Request) -> str:
    kind: str = request.path_params["kind"]
    if kind not in KINDS:
        raise HTTPException(404, f"there are: {', '.join(KINDS)}")
    return kind


def _token(request: Request) -> Token:
    token: Token = request.state.token
    return token


def app(issuer: str, audience: str) -> Starlette:
    verifier = Verifier(issuer, audience)
    tokens = Middleware(TokenMiddleware, verifier, role_keys=RoleKeys(verifier), public=["/livez"])
    return Starlette(routes=Platform().routes(), middleware=[tokens])


if __name__ == "__main__":
    _, issuer_url, service, port = sys.argv
    uvicorn.run(app(issuer_url, service), port=int(port), log_level="debug")
