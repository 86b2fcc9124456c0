"""Proves the role key of a request; failures are counted by where they come from."""

from __future__ import annotations

import time

from starlette.requests import Request

from issuer.authentication.client import Presented
from issuer.authentication.throttle import Throttle
from issuer.credentials import Credentials, InvalidCredential
from issuer.denials import Denial
from issuer.mint import Grant
from issuer.telemetry import note, source
from keys import Handle
from keys.secret import ROLE_KEY_PREFIX

TICKET_IN_PLACE_OF_KEY = (
    "that is a job's ticket, not a role key: GET /v1/token gives a token for it, as Authorization: Bearer"
)


class RoleKeyAuthentication:
    """Proves role keys."""

    def __init__(self, credentials: Credentials, throttle: Throttle) -> None:
        self._credentials = credentials
        self._throttle = throttle

    async def audiences_behind(self, client_id: str) -> tuple[str, ...]:
        """Which services the role key that a token came from is for; () for all. Raises StoreUnavailable."""
        if not client_id.startswith(ROLE_KEY_PREFIX):
            return ()
        return await self._credentials.audiences_of(client_id)

    async def client(self, request: Request, shown: Presented) -> Grant:
        """The role key as OAuth client. Raises Denial, InvalidCredential, StoreUnavailable."""
        if not shown.client_id or shown.secret is None:
            raise Denial(
                "invalid_client", "send the role key: access as user, secret as password of HTTP Basic"
            )
        return await self.prove(request, f"{shown.client_id}:{shown.secret}")

    async def prove(self, request: Request, text: str) -> Grant:
        """What `access:secret` opens. Raises Denial, InvalidCredential, StoreUnavailable."""
        try:
            grant = await self._credentials.prove(
                text, time.time(), is_suspect=lambda: self._throttle.is_over(source(request.scope))
            )
        except InvalidCredential as error:
            # Whatever stands on the other side of the colon.
            is_ticket = any(part.startswith(Handle.JOB_TICKET) for part in text.split(":"))
            refused = InvalidCredential(TICKET_IN_PLACE_OF_KEY) if is_ticket else error
            raise self._throttle.failed(source(request.scope), refused) from None
        note(request.scope, client_id=grant.client_id, sub=grant.subject)
        return grant
