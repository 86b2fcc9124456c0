"""The token endpoint: finds the grant, and answers with its token."""

from __future__ import annotations

import time

import orjson
from starlette.requests import Request
from starlette.responses import Response

from issuer import proof_of_possession
from issuer.authentication import tickets
from issuer.body import read_form
from issuer.denials import Denial
from issuer.grants import (
    authorization_code,
    client_credentials,
    device_code,
    jwt_bearer,
    refresh_token,
    token_exchange,
)
from issuer.grants.audience import asked_audience
from issuer.service import Service
from issuer.sign_ins import Issued
from issuer.telemetry import note
from verifier import InvalidPermission

_GRANTS = (client_credentials, authorization_code, refresh_token, device_code, token_exchange, jwt_bearer)
GRANTS = {each.NAME: each.grant for each in _GRANTS}
_OF_JOBS = {"scope", "resource", "audience"}
_HEADERS = (
    (b"content-type", b"application/json;charset=UTF-8"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)


class TokenResponse(Response):
    """RFC 6749 section 5.1. Its headers are the same each time, and made once."""

    def __init__(self, issued: Issued) -> None:
        self.status_code = 200
        self.background = None
        body = {
            "access_token": issued.minted.raw,
            "token_type": "Bearer",
            "expires_in": issued.minted.expires_in,
            "scope": issued.minted.scope,
        }
        for member in ("refresh_token", "id_token", "issued_token_type"):
            value = getattr(issued, member)
            if value is not None:
                body[member] = value
        self.body = orjson.dumps(body)
        self.raw_headers = [*_HEADERS, (b"content-length", b"%d" % len(self.body))]


async def post_token(service: Service, request: Request) -> Response:
    """RFC 6749 section 3.2."""
    if request.scope["query_string"]:
        raise Denial("invalid_request", "parameters belong in the body: a URL is kept in logs")
    form = await read_form(request)
    if "grant_type" not in form:
        raise Denial("invalid_request", "grant_type is missing")
    grant = GRANTS.get(form["grant_type"])
    if grant is None:
        raise Denial("unsupported_grant_type", f"grant_type is none of: {', '.join(GRANTS)}")
    if proof_of_possession.is_asked_for(form, request.scope["headers"]):
        raise Denial("invalid_request", proof_of_possession.REFUSAL)
    service.coherence.check()
    try:
        issued = await grant(service, request, form)
    except InvalidPermission as error:
        raise Denial("invalid_scope", str(error)) from error
    note(request.scope, jti=issued.minted.token_id, scope=issued.minted.scope)
    return TokenResponse(issued)


async def get_token(service: Service, request: Request) -> Response:
    """A job's token, for its ticket."""
    service.coherence.check()
    now, form = int(time.time()), dict(request.query_params)
    grant = await tickets.redeem(service, request, tickets.presented(request), now)
    if unknown := form.keys() - _OF_JOBS:
        raise Denial("invalid_request", f"{min(unknown)[:100]!r} is no parameter here")
    minted = service.mint.mint(grant, asked_audience(service.settings, form), form.get("scope"), now)
    note(request.scope, jti=minted.token_id, scope=minted.scope)
    return TokenResponse(Issued(minted))
