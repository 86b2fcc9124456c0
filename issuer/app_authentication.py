"""Which app asks at an OAuth endpoint: a public one says so, the others prove it (RFC 6749 section 2.3)."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping

import anyio
from starlette.requests import Request

from issuer import clients
from issuer.client_authentication import authorization, basic
from issuer.clients import Client
from issuer.credentials import Credentials
from issuer.denials import Denial
from issuer.store.database import Database
from issuer.telemetry import note, source
from issuer.throttle import Throttle
from keys import Handle, handle_hash

_NOBODY = os.urandom(32)


class AppAuthentication:
    """Proves the app of a request."""

    def __init__(self, database: Database, credentials: Credentials, throttle: Throttle) -> None:
        self._database = database
        self._credentials = credentials
        self._throttle = throttle

    async def app(self, request: Request, form: Mapping[str, str]) -> Client:
        """The app that authenticates, in the way that it is registered with. Raises Denial."""
        client_id, secret = _presented(request, form)
        client = await anyio.to_thread.run_sync(self._find, client_id)
        if not self._holds(client, secret):
            # One text and the same work for every reason: outside they look the same.
            raise self._throttle.failed(
                source(request.scope),
                Denial("invalid_client", "there is no such client, or this is not how it authenticates"),
            )
        assert client is not None  # noqa: S101 - nobody holds what is not there
        note(request.scope, client_id=client.client_id)
        return client

    def _find(self, client_id: str) -> Client | None:
        with self._database.read() as session:
            return clients.find(session, client_id)

    def _holds(self, client: Client | None, secret: str | None) -> bool:
        if client is not None and client.is_public:
            return secret is None
        expected = None if client is None else client.secret_hash
        presented = handle_hash(secret or "", self._credentials.hash_key.key)
        is_same = hmac.compare_digest(presented, expected or _NOBODY)
        return is_same and expected is not None and Handle.CLIENT_SECRET.is_whole(secret or "")


def _presented(request: Request, form: Mapping[str, str]) -> tuple[str, str | None]:
    """Client id, and secret if there is one."""
    header = authorization(request)
    if header is not None and "client_secret" in form:
        raise Denial("invalid_request", "authenticate once: with the Basic header or with client_secret")
    if header is not None:
        client_id, _, secret = basic(header, form.get("client_id")).partition(":")
        return client_id, secret
    if "client_id" not in form:
        raise Denial("invalid_client", "client_id is missing")
    return form["client_id"], form.get("client_secret")
