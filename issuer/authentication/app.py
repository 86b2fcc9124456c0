"""Which app asks at an OAuth endpoint: a public one says so, the others prove it (RFC 6749 section 2.3)."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Mapping

import anyio
from starlette.requests import Request

from issuer import clients
from issuer.authentication import client_assertion
from issuer.authentication.client import Presented, presented
from issuer.authentication.client_assertion import Assertion, BadAssertion
from issuer.authentication.role_key import RoleKeyAuthentication
from issuer.authentication.throttle import Throttle
from issuer.clients import Client
from issuer.credentials import Credentials
from issuer.denials import Denial
from issuer.mint import Grant
from issuer.settings import Settings
from issuer.store import client_assertions
from issuer.store.database import Database
from issuer.telemetry import note, source
from keys import Handle, handle_hash

_NOBODY = os.urandom(32)
# One text for every reason: outside they look the same.
_REFUSED = "there is no such client, or this is not how it authenticates"


class AppAuthentication:
    """Proves the app of a request."""

    def __init__(
        self,
        database: Database,
        credentials: Credentials,
        role_keys: RoleKeyAuthentication,
        throttle: Throttle,
        settings: Settings,
    ) -> None:
        self._database = database
        self._credentials = credentials
        self._role_keys = role_keys
        self._throttle = throttle
        self._audiences = (settings.issuer_url, f"{settings.issuer_url}/v1/token")

    async def app(self, request: Request, form: Mapping[str, str]) -> Client:
        """The app that authenticates, in the way that it is registered with. Raises Denial."""
        return await self._app(request, form, presented(request, form))

    async def app_or_role_key(self, request: Request, form: Mapping[str, str]) -> Client | Grant:
        """Whichever of both authenticates. Raises Denial, InvalidCredential, StoreUnavailable."""
        shown = presented(request, form)
        if shown.assertion is not None or clients.is_client_id(shown.client_id):
            return await self._app(request, form, shown)
        return await self._role_keys.client(request, shown)

    async def app_of(self, asker: Client | Grant) -> Client | None:
        """The app that asks: itself, or the one that the role of the role key is, if it is one."""
        if isinstance(asker, Client):
            return asker
        return await anyio.to_thread.run_sync(self._find_of_role, asker.subject)

    async def _app(self, request: Request, form: Mapping[str, str], shown: Presented) -> Client:
        """Raises Denial."""
        try:
            assertion = self._assertion(form, shown)
            client_id = shown.client_id if assertion is None else assertion.client_id
            if not client_id:
                raise Denial("invalid_client", "client_id is missing")
            client = await anyio.to_thread.run_sync(self._find, client_id)
            if client is None or not await self._holds(client, shown.secret, assertion):
                raise BadAssertion(_REFUSED)
        except BadAssertion as error:
            raise self._throttle.failed(source(request.scope), Denial("invalid_client", str(error))) from None
        note(request.scope, client_id=client.client_id)
        return client

    def _assertion(self, form: Mapping[str, str], shown: Presented) -> Assertion | None:
        """Raises Denial, BadAssertion."""
        if shown.assertion is None:
            return None
        if form.get("client_assertion_type") != client_assertion.TYPE:
            raise Denial("invalid_request", f"client_assertion_type is {client_assertion.TYPE}")
        assertion = client_assertion.read(shown.assertion, self._audiences, time.time())
        if shown.client_id not in ("", assertion.client_id):
            raise Denial("invalid_request", "client_id is another one than the assertion's")
        return assertion

    def _find(self, client_id: str) -> Client | None:
        with self._database.read() as session:
            return clients.find(session, client_id)

    def _find_of_role(self, role: str) -> Client | None:
        with self._database.read() as session:
            return clients.of_role(session, role)

    async def _holds(self, client: Client, secret: str | None, assertion: Assertion | None) -> bool:
        """Raises BadAssertion."""
        if client.is_public:
            return secret is None and assertion is None
        if client.jwks is not None:
            return assertion is not None and await self._is_new(assertion, client)
        given = handle_hash(secret or "", self._credentials.hash_key.key)
        is_same = hmac.compare_digest(given, client.secret_hash or _NOBODY)
        return is_same and client.secret_hash is not None and Handle.CLIENT_SECRET.is_whole(secret or "")

    async def _is_new(self, assertion: Assertion, client: Client) -> bool:
        client_assertion.check_signature(assertion, client)

        def take() -> bool:
            with self._database.write(actor=client.client_id, now=int(time.time())) as tx:
                return client_assertions.take(tx, client.client_id, assertion.token_id, assertion.expires_at)

        if not await anyio.to_thread.run_sync(take):
            raise BadAssertion("its jti was used before: make a new one for each request")
        return True
