"""Who asks at an OAuth endpoint: a role key by HTTP Basic or in the form (RFC 6749 section 2.3)."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from urllib.parse import unquote_plus

from starlette.requests import Request

from issuer.credentials import Credentials, InvalidCredential
from issuer.denials import Denial
from issuer.mint import Grant
from issuer.telemetry import note, source
from issuer.throttle import Throttle


class ClientAuthentication:
    """Proves the role key of a request."""

    def __init__(self, credentials: Credentials, throttle: Throttle) -> None:
        self._credentials = credentials
        self._throttle = throttle

    async def client(self, request: Request, form: Mapping[str, str]) -> Grant:
        """The client that authenticates, in one way. Raises Denial, InvalidCredential, StoreUnavailable."""
        header = authorization(request)
        if header is not None and "client_secret" in form:
            raise Denial("invalid_request", "authenticate once: with the Basic header or with client_secret")
        if header is not None:
            return await self.prove(request, basic(header, form.get("client_id")))
        if "client_id" in form and "client_secret" in form:
            return await self.prove(request, f"{form['client_id']}:{form['client_secret']}")
        raise Denial("invalid_client", "send the role key: access as user, secret as password of HTTP Basic")

    async def prove(self, request: Request, text: str) -> Grant:
        """What `access:secret` opens; failures are counted by source."""
        try:
            grant = await self._credentials.prove(
                text, time.time(), is_suspect=lambda: self._throttle.is_over(source(request.scope))
            )
        except InvalidCredential as error:
            raise self._throttle.failed(source(request.scope), error) from None
        note(request.scope, client_id=grant.client_id, sub=grant.subject)
        return grant


def authorization(request: Request) -> str | None:
    """The one Authorization header. Raises Denial: of two, another server may have believed the other one."""
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise Denial("invalid_request", "send one Authorization header")
    return headers[0] if headers else None


def basic(header: str, client_id: str | None) -> str:
    """`access:secret` out of the header: split at the first colon, both sides form-decoded."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Denial("invalid_request", "clients authenticate with HTTP Basic here, or in the form")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise Denial("invalid_request", "the Basic header is not base64 of user:password") from None
    if not colon:
        raise Denial("invalid_request", "the Basic header has no colon between user and password")
    if "%00" in user or "\0" in user:
        raise Denial("invalid_request", "the Basic header's user holds a NUL character")
    if client_id is not None and client_id != unquote_plus(user):
        raise Denial("invalid_request", "client_id is another one than the Basic header's user")
    return f"{unquote_plus(user)}:{unquote_plus(password)}"
