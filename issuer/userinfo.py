"""What a client may know of the user (OpenID Connect Core section 5.3)."""

from __future__ import annotations

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.clients import OPENID
from issuer.denials import BearerDenial, Denial
from issuer.id_token import user_claims
from issuer.service import Service
from issuer.store import users
from issuer.store.users import USER_PREFIX, User
from verifier import InsufficientScope

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}


async def get_userinfo(service: Service, request: Request) -> Response:
    """For a token that was issued with `openid`, as the user is known now."""
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
