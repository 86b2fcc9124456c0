"""In FastAPI."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from tests.verifier.integrations.world import LABELS, PUBLIC, submitted, told
from verifier import Token, Verifier
from verifier.integrations.fastapi import TokenMiddleware, require
from verifier.role_keys import RoleKeys


def service(verifier: Verifier, role_keys: RoleKeys | None = None) -> FastAPI:
    app = FastAPI()
    app.add_middleware(TokenMiddleware, verifier=verifier, role_keys=role_keys, public=PUBLIC)

    @app.get("/livez")
    @app.get("/who")
    async def who(request: Request) -> dict[str, str | None]:
        return told(request.state.token)

    @app.get("/all")
    async def every(token: Annotated[Token, Depends(require("data:get"))]) -> dict[str, str | None]:
        return told(token)

    @app.get("/data/{workspace}")
    def data(
        workspace: str, token: Annotated[Token, Depends(require("data:get", "{workspace}"))]
    ) -> dict[str, str | None]:
        assert workspace
        return told(token)

    @app.get("/apps/{name}")
    async def app_(name: str, request: Request) -> dict[str, str | None]:
        request.state.token.require("app:query", name, LABELS)
        return told(request.state.token)

    @app.get("/labels/{name}")
    def labels(name: str) -> dict[str, str]:
        return submitted(name)

    return app
