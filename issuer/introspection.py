"""What a token says (RFC 7662), to whom it concerns; to everybody else nothing."""

from __future__ import annotations

import time

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.body import read_form
from issuer.clients import Client
from issuer.denials import BearerDenial, Denial
from issuer.service import Service
from issuer.store import refresh_tokens
from issuer.store.tables import Principal
from keys import Handle
from verifier import InsufficientScope, Permission, Scope, Token, TokenError, Unavailable

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}
_INTROSPECT = Permission.parse("token:introspect@*")
_INACTIVE: dict[str, object] = {"active": False}


async def post_introspect(service: Service, request: Request) -> Response:
    """By a caller with the permission for the token's audience, or by the client that it was issued to."""
    form = await read_form(request)
    asker = await _asker(service, request, form)
    if "token" not in form:
        raise Denial("invalid_request", "token is missing")
    if isinstance(asker, Client):
        body = await _of_own(service, asker, form["token"])
    else:
        token = live_token(service, form["token"])
        concerns = token is not None and any(
            asker.covers("token:introspect", audience) for audience in token.audience
        )
        body = _said(token) if token is not None and concerns else _INACTIVE
    return Response(orjson.dumps(body), headers=_HEADERS)


def live_token(service: Service, text: str) -> Token | None:
    """None for what is no good any more, or never was. Raises Denial while nobody can know."""
    try:
        return service.token_verifier.verify(text)
    except Unavailable as error:
        raise Denial("temporarily_unavailable", error.detail) from error
    except TokenError:
        return None


async def _asker(service: Service, request: Request, form: dict[str, str]) -> Client | Scope:
    """An app; else what the caller may do, which includes to introspect. Raises BearerDenial, Denial."""
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        scope = (await service.callers.identify(request, service.api_verifier)).scope
    else:
        service.coherence.check()
        asker = await service.apps.app_or_role_key(request, form)
        if isinstance(asker, Client):
            return asker
        if asker.audiences and service.settings.issuer_url not in asker.audiences:
            raise BearerDenial(TokenError("wrong_audience", "the API token is for other services"))
        scope = asker.rights
    if not any(held & _INTROSPECT for held in scope.permissions):
        raise BearerDenial(InsufficientScope("token:introspect@AUDIENCE"))
    return scope


async def _of_own(service: Service, client: Client, text: str) -> dict[str, object]:
    """A token that was issued to this client."""
    if Handle.REFRESH_TOKEN.is_whole(text):
        hash_key, now = service.credentials.hash_key.key, int(time.time())
        return await service.read(lambda session: _refresh_token(session, client, text, hash_key, now))
    token = live_token(service, text)
    return _INACTIVE if token is None or token.client_id != client.client_id else _said(token)


def _refresh_token(
    session: Session, client: Client, text: str, hash_key: bytes, now: int
) -> dict[str, object]:
    row = refresh_tokens.find_unused(session, text, hash_key)
    if row is None or row.client_id != client.client_id or (row.expires_at or now + 1) <= now:
        return _INACTIVE
    return {
        "active": True,
        "client_id": row.client_id,
        "sub": session.get_one(Principal, row.user_id).name,
        "scope": row.scope or "",
        "iat": row.created_at,
        "exp": row.expires_at,
    }


def _said(token: Token) -> dict[str, object]:
    said = {name: value for name, value in token.to_claims().items() if name != "status"}
    return {"active": True, "token_type": "Bearer", **said}
