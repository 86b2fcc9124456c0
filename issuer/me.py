"""Who a credential is: `/v1/me` about any, userinfo about a user who signed in."""

from __future__ import annotations

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer import rfc3339
from issuer.clients import OPENID
from issuer.denials import BearerDenial, Denial
from issuer.id_token import user_claims
from issuer.service import Service
from issuer.store import users
from issuer.store.users import USER_PREFIX, User
from verifier import InsufficientScope

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}


async def get_me(service: Service, request: Request) -> Response:
    """Any live credential about itself."""
    caller = await service.callers.identify(request, service.token_verifier)
    body = {
        "principal": caller.principal,
        "roles": caller.roles,
        "scope": str(caller.scope),
        "client_id": caller.client_id,
        "audience": caller.audience,
        "expires_at": rfc3339.write_optional(caller.expires_at),
    }
    return Response(orjson.dumps(body), headers=_HEADERS)


async def get_userinfo(service: Service, request: Request) -> Response:
    """For a token that was issued with `openid`: the user as known now (OpenID Connect Core section 5.3)."""
    caller = await service.callers.identify(request, service.token_verifier)
    if OPENID not in caller.scope.words:
        raise BearerDenial(InsufficientScope(OPENID))

    def work(session: Session) -> User | None:
        return users.find(session, caller.principal.removeprefix(USER_PREFIX))

    user = await service.read(work)
    if user is None or user.account.disabled_at is not None:
        raise Denial("invalid_token", "the user is not here any more")
    body = {"sub": caller.principal, **user_claims(user.principal, user.account, caller.scope)}
    return Response(orjson.dumps(body), headers=_HEADERS)
