"""Whose password a docker client sends: a role key, a one-hour token or a job's ticket, with any user name.

A token is a password here if it is for the issuer, or for the audience that everybody gets who names none.
One that was got for another service stays with that service.
"""

from __future__ import annotations

import time

from starlette.requests import Request

from issuer.authentication import tickets
from issuer.denials import Denial
from issuer.mint import Grant
from issuer.service import Service
from issuer.telemetry import note, source
from keys import Handle
from keys.secret import ROLE_KEY_PREFIX
from verifier import Token, TokenError, Unavailable

_SEGMENTS = 3


async def prove(service: Service, request: Request, user: str, password: str) -> Grant:
    """What the password opens. Raises Denial, InvalidCredential, StoreUnavailable."""
    if Handle.JOB_TICKET.is_whole(password):
        return await tickets.redeem(service, request, password, int(time.time()))
    if password.count(".") == _SEGMENTS - 1:
        return await _token(service, request, password)
    # A role key that was split, as its two sides look like a name and a password.
    whole = f"{user}:{password}" if user.startswith(ROLE_KEY_PREFIX) and ":" not in password else password
    grant = await service.role_keys.prove(request, whole)
    service.credentials.exchanges.note(grant.client_id, int(time.time()))
    return grant


async def _token(service: Service, request: Request, text: str) -> Grant:
    try:
        token = service.token_verifier.verify(text)
    except Unavailable as error:
        raise Denial("temporarily_unavailable", error.detail) from error
    except TokenError as error:
        refused = Denial("invalid_client", f"the token that was sent as password is refused: {error.detail}")
        raise service.throttle.failed(source(request.scope), refused) from None
    if {service.settings.issuer_url, service.settings.audiences[0]}.isdisjoint(token.audience):
        named = ", ".join(token.audience)
        raise Denial("invalid_client", f"the token that was sent as password is for {named} alone")
    if token.actor is not None and service.settings.issuer_url not in token.audience:
        # What it was made from may be for some services only: at the issuer no such token is changed.
        raise Denial(
            "invalid_client",
            "an app that acts for somebody needs a token for the issuer as password: "
            f"resource={service.settings.issuer_url}",
        )
    note(request.scope, client_id=token.client_id, sub=token.subject)
    return _grant(token, await service.role_keys.audiences_behind(token.client_id))


def _grant(token: Token, audiences: tuple[str, ...]) -> Grant:
    """audiences: what the role key behind it is for: its tokens are for no more."""
    return Grant(
        subject=token.subject,
        client_id=token.client_id,
        rights=token.scope,
        roles={},
        status_index=-1 if token.status is None else token.status.index,
        ends_at=int(token.expires_at),
        audiences=audiences,
    )
