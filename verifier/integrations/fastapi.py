"""FastAPI: `TokenMiddleware` as in Starlette, and `Depends(require("data:get"))`, which OpenAPI shows.

app.add_middleware(TokenMiddleware, verifier=verifier, public=["/docs", "/openapi.json"])

@app.get("/data/{workspace}")
def read(workspace: str, token: Annotated[Token, Depends(require("data:get", "{workspace}"))]): ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from verifier.authentication import Refused, Requirement, refusal
from verifier.claims import Token
from verifier.integrations.starlette import TokenMiddleware, token_of

__all__ = ["TokenMiddleware", "require"]

_SCHEME = HTTPBearer(
    scheme_name="hourmark", bearerFormat="JWT", description="A token of the issuer", auto_error=False
)
"""It only says in OpenAPI what the middleware does."""


def require(action: str, resource: str = "*") -> Callable[..., Awaitable[Token]]:
    """A dependency: the token, if it allows `action` on `resource`; else 401 or 403.

    action: "noun:verb", such as "data:get".
    resource: `{name}` in it is that parameter of the path; "*" is all resources together.

    Raises ValueError for what no token could allow.
    """
    requirement = Requirement(action, resource)

    async def allowed(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]
    ) -> Token:
        try:
            return requirement.check(token_of(request), request.path_params)
        except Refused as error:
            refused = refusal(error)
            raise HTTPException(refused.status, refused.detail, refused.headers) from None

    return allowed
