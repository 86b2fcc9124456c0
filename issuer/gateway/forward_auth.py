"""`/v1/forward-auth`: nginx (`auth_request`), Caddy and Traefik (`forward_auth`) ask here about each request.

Every answer says all headers that the app is to believe, empty ones too, so that none of the client's passes
for ours. A refusal says its reason in headers: nginx drops bodies.
"""

from __future__ import annotations

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from issuer import denials
from issuer.authentication.callers import Caller
from issuer.denials import BearerDenial, Denial
from issuer.gateway import cookies, entering, proxy
from issuer.gateway.known import KnownVisit, ProtectedApp
from issuer.gateway.proxy import Asked
from issuer.service import Service
from issuer.settings import Settings
from issuer.telemetry import REFUSE, note
from keys import Handle, handle_hash
from verifier import TokenError, Unavailable

IDENTITY_HEADERS = ("Hourmark-Subject", "Hourmark-Client", "Hourmark-Actor", "Hourmark-Roles")
REFUSED_HEADER = "Hourmark-Refused"
HANDED_ON = (*IDENTITY_HEADERS, "Authorization", "Cookie")
"""What the proxy sets of the request to the app: nothing of it comes from the client alone."""
_ACTION = "app:query"
TOLD_APART = frozenset({"expired", "not_yet_valid", "wrong_audience", "insufficient_scope", "revoked"})
"""What is told of a token whose signature holds. Whoever made one up learns nothing from it."""
_UNKNOWN_TO_NGINX = frozenset({400, 429})
REASONS = (
    *("unknown_proxy", "unclear_request", "unknown_app", "reserved_path", "plain_http", "cross_origin"),
    *("no_credential", "invalid_token", *sorted(TOLD_APART)),
    *("invalid_request", "slow_down"),
    *("keys_unavailable", "revocation_stale", "temporarily_unavailable", "server_error"),
)
"""Why a request does not pass, as `Hourmark-Refused` says it."""


async def get_forward_auth(service: Service, request: Request) -> Response:
    request.scope[REFUSE] = partial(_refusal, None)
    sent = proxy.sent_in(request)
    service.proxies.check(request, sent)
    asked = proxy.read(sent)
    request.scope[REFUSE] = partial(_refusal, asked)
    address = proxy.client_address(sent)
    if address is not None:
        request.scope["client"] = (address, 0)
    service.coherence.check()
    app = await service.door.app_at(asked.host)
    if app is None:
        raise proxy.refused("unknown_app", f"no app is registered for the host {asked.host}")
    note(request.scope, app=app.client.client_id)
    is_page = entering.is_page(request, asked)
    if entering.is_reserved(asked) and not is_page:
        raise proxy.refused("reserved_path", "browsers come back here: the app has no such path")
    if entering.is_reserved(asked):
        return _led(asked, await entering.arrive(service, request, asked, app))
    visit = None
    if request.headers.get("authorization"):
        caller = await service.callers.identify(request, service.door.verifier)
    else:
        visit = await _visit(service, request, asked, app)
        if is_page and (visit is None or not _opens(service.settings, app, visit.caller)):
            return _led(asked, entering.to_entrance(service, request, asked))
        if visit is None:
            raise BearerDenial(None)
        if entering.is_of_another_page(request, asked):
            raise proxy.refused(
                "cross_origin", "a page of another origin writes here: a visit is not for that"
            )
        caller = visit.caller
    caller.require(_ACTION, app.client.name, app.labels)
    if not is_for(service.settings, app, caller):
        raise BearerDenial(TokenError("wrong_audience", "the credential is for other services than this app"))
    return await _allowed(service, request, app, caller, visit)


def _opens(settings: Settings, app: ProtectedApp, caller: Caller) -> bool:
    return caller.scope.covers(_ACTION, app.client.name, app.labels) and is_for(settings, app, caller)


def is_for(settings: Settings, app: ProtectedApp, caller: Caller) -> bool:
    """Whether the credential is for the app's service."""
    return caller.is_for(app.service(settings))


async def _visit(service: Service, request: Request, asked: Asked, app: ProtectedApp) -> KnownVisit | None:
    """That of this browser at this app. Raises StoreUnavailable."""
    cookie = cookies.visit(request, asked.scheme)
    if not Handle.VISIT.is_whole(cookie):
        return None
    cookie_hash = handle_hash(cookie, service.credentials.hash_key.key)
    visit = await service.door.visit(cookie_hash, app.client.client_id, time.time())
    if visit is not None:
        note(request.scope, client_id=visit.caller.client_id, sub=visit.caller.principal)
    return visit


async def _allowed(
    service: Service, request: Request, app: ProtectedApp, caller: Caller, visit: KnownVisit | None
) -> Response:
    token = await service.handed_tokens.token(app, caller, visit, time.time())
    said = (caller.principal, caller.client_id, caller.actor or "", " ".join(caller.roles))
    headers = dict(zip(IDENTITY_HEADERS, said, strict=True))
    headers["Authorization"] = "" if token is None else f"Bearer {token}"
    headers["Cookie"] = cookies.of_the_app(request)
    return Response(headers=headers | {"Cache-Control": "no-store"})


def _led(asked: Asked, answer: Response) -> Response:
    """Where a browser is led to. nginx makes that out of a refusal, the others hand it on."""
    if not asked.knows_401_and_403_alone:
        return answer
    headers = {name: answer.headers[name] for name in ("Location", "Set-Cookie") if name in answer.headers}
    raise proxy.no_credential(**headers)


def _refusal(asked: Asked | None, error: Exception, *, path: str, request_id: str) -> Response:
    """The refusal as the proxy hands it on; as `denials.answer`, which other rows have."""
    told = _told(error)
    refused = denials.refusal(told)
    if asked is not None and asked.knows_401_and_403_alone and refused.status in _UNKNOWN_TO_NGINX:
        told = Denial("not_permitted", refused.detail, headers=refused.headers, reason=refused.code)
        refused = denials.refusal(told)
    answer = denials.answer(told, path=path, request_id=request_id)
    answer.headers[REFUSED_HEADER] = str(refused.members.get("reason", refused.code))
    return answer


def _told(error: Exception) -> Exception:
    """Without what is none of the business of whoever made a token up."""
    if not isinstance(error, BearerDenial):
        return error
    if error.error is None:
        return proxy.no_credential()
    is_told = error.error.code in TOLD_APART or isinstance(error.error, Unavailable)
    return error if is_told else Denial("invalid_token", "the token is not valid")
