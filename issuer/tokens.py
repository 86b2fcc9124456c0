"""About one credential or token: who am I, is it good (RFC 7662), end it (RFC 7009)."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from issuer import rfc3339
from issuer.body import read_form
from issuer.denials import BearerDenial, Denial
from issuer.service import Service
from issuer.store import role_keys
from verifier import InsufficientScope, Permission, Scope, Token, TokenError, Unavailable

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}
_INTROSPECT = Permission.parse("token:introspect@*")


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


async def post_introspect(service: Service, request: Request) -> Response:
    """What a token says, to a caller that may introspect for its audience; to everybody else nothing."""
    form = await read_form(request)
    scope = await _introspector(service, request, form)
    if "token" not in form:
        raise Denial("invalid_request", "token is missing")
    body: dict[str, object] = {"active": False}
    try:
        token = service.token_verifier.verify(form["token"])
    except Unavailable as error:
        raise Denial("temporarily_unavailable", error.detail) from error
    except TokenError:
        pass
    else:
        if any(scope.covers("token:introspect", audience) for audience in token.audience):
            body = {"active": True, "token_type": "Bearer", **_without_status(token)}
    return Response(orjson.dumps(body), headers=_HEADERS)


async def post_revoke(service: Service, request: Request) -> Response:
    """Ends the tokens of the secret that the token was issued for; its role key goes on."""
    form = await read_form(request)
    await service.once_more(lambda: _revoke(service, request, form))
    return Response(status_code=200, headers=_HEADERS)


async def _revoke(service: Service, request: Request, form: dict[str, str]) -> None:
    service.coherence.check()
    grant = await service.clients.client(request, form)
    if "token" not in form:
        raise Denial("invalid_request", "token is missing")
    access = grant.client_id
    try:
        token = service.token_verifier.verify(form["token"])
    except Unavailable as error:
        raise Denial("temporarily_unavailable", error.detail) from error
    except TokenError:
        # It is no good already, or never was: what the client wants is so (RFC 7009 section 2.2).
        return
    if token.client_id == access and token.status is not None:
        index = token.status.index
        own = grant.status_index
        await service.change(access, own, lambda tx: role_keys.end_tokens_at(tx, access, index))


async def _introspector(service: Service, request: Request, form: dict[str, str]) -> Scope:
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        scope = (await service.callers.identify(request, service.api_verifier)).scope
    else:
        service.coherence.check()
        scope = (await service.clients.client(request, form)).rights
    if not any(held & _INTROSPECT for held in scope.permissions):
        raise BearerDenial(InsufficientScope("token:introspect@AUDIENCE"))
    return scope


def _without_status(token: Token) -> dict[str, object]:
    return {name: value for name, value in token.to_claims().items() if name != "status"}
