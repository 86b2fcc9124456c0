"""What a token says (RFC 7662), to whom it concerns; to everybody else nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.body import read_form
from issuer.clients import Client
from issuer.denials import BearerDenial, Denial
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import refresh_tokens
from issuer.store.tables import Principal
from keys import Handle
from verifier import InsufficientScope, Permission, Scope, Token, TokenError, Unavailable

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}
_INTROSPECT = Permission.parse("token:introspect@*")
_INACTIVE: dict[str, object] = {"active": False}


@dataclass(frozen=True, slots=True)
class _Asker:
    scope: Scope
    """What it may do."""
    client: Client | Grant | None = None
    """Whose tokens it may look at besides: an app's, or those of the app that the role of a role key is."""


async def post_introspect(service: Service, request: Request) -> Response:
    """By a caller with the permission for the token's audience, or by the client that it was issued to."""
    form = await read_form(request)
    asker = await _asker(service, request, form)
    if "token" not in form:
        raise Denial("invalid_request", "token is missing")
    return Response(orjson.dumps(await _answer(service, asker, form["token"])), headers=_HEADERS)


async def _answer(service: Service, asker: _Asker, text: str) -> dict[str, object]:
    is_refresh_token = Handle.REFRESH_TOKEN.is_whole(text)
    token = None if is_refresh_token else live_token(service, text)
    if token is not None and any(asker.scope.covers("token:introspect", each) for each in token.audience):
        return _said(token)
    if asker.client is None or (token is None and not is_refresh_token):
        return _INACTIVE
    app = await service.apps.app_of(asker.client)
    if app is None:
        return _INACTIVE
    if token is not None:
        return _said(token) if token.client_id == app.client_id else _INACTIVE
    hash_key, now = service.credentials.hash_key.key, int(time.time())
    return await service.read(lambda session: _refresh_token(session, app, text, hash_key, now))


def live_token(service: Service, text: str) -> Token | None:
    """None for what is no good any more, or never was. Raises Denial while nobody can know."""
    try:
        return service.token_verifier.verify(text)
    except Unavailable as error:
        raise Denial("temporarily_unavailable", error.detail) from error
    except TokenError:
        return None


async def _asker(service: Service, request: Request, form: dict[str, str]) -> _Asker:
    """An app, or a caller that may introspect, or both. Raises BearerDenial, Denial."""
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        asker = _Asker((await service.callers.identify(request, service.api_verifier)).scope)
    else:
        service.coherence.check()
        client = await service.apps.app_or_role_key(request, form)
        audiences = client.audiences if isinstance(client, Grant) else ()
        if audiences and service.settings.issuer_url not in audiences:
            raise BearerDenial(
                TokenError("wrong_audience", f"the API token is for {', '.join(audiences)} alone")
            )
        asker = _Asker(client.rights if isinstance(client, Grant) else Scope(), client)
    if any(held & _INTROSPECT for held in asker.scope.permissions):
        return asker
    if asker.client is None or await service.apps.app_of(asker.client) is None:
        raise BearerDenial(InsufficientScope("token:introspect@AUDIENCE"))
    return asker


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
