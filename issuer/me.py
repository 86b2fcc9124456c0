"""Who a credential is: `/v1/me` about any, userinfo about a user who signed in."""

from __future__ import annotations

import time

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer import rfc3339
from issuer.authentication import tickets
from issuer.authentication.callers import Caller
from issuer.clients import OPENID
from issuer.denials import BearerDenial, Denial
from issuer.id_token import user_claims
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import users
from issuer.store.users import USER_PREFIX, User
from verifier import InsufficientScope

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}


async def get_me(service: Service, request: Request) -> Response:
    """Any live credential about itself: a role key, a token for any service, a job's ticket."""
    if tickets.is_presented(request):
        body = _of_grant(await tickets.redeem(service, request, tickets.presented(request), int(time.time())))
    else:
        body = _of_caller(await service.callers.identify(request, service.token_verifier))
    return Response(orjson.dumps(body), headers=_HEADERS)


def _of_caller(caller: Caller) -> dict[str, object]:
    return {
        "principal": caller.principal,
        "roles": caller.roles,
        "scope": str(caller.scope),
        "client_id": caller.client_id,
        "audience": caller.audience,
        "expires_at": rfc3339.write_optional(caller.expires_at),
    }


def _of_grant(ticket: Grant) -> dict[str, object]:
    return {
        "principal": ticket.subject,
        "roles": ticket.carried,
        "scope": str(ticket.rights),
        "client_id": ticket.client_id,
        "audience": None,
        "expires_at": rfc3339.write_optional(ticket.ends_at),
    }


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
