"""A user's session in a browser: it begins with a proof of who it is, under a cookie of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.browser import SESSION_COOKIE, Browser, BrowserSession, forget, keep, place, see_other
from issuer.clients import CONSOLE_ID
from issuer.denials import Denial, wrong_field
from issuer.mint import Grant, Minted
from issuer.on_behalf import grant_of_session
from issuer.service import Service
from issuer.store import user_grants
from issuer.store.database import Transaction
from issuer.store.tables import Principal, UserAccount, UserGrant
from issuer.store.user_grants import SESSION, Authentication
from issuer.telemetry import note
from keys import Handle, handle_hash

RECENT_SECONDS = 300
"""How long ago a proof may be for what changes how its user signs in."""


async def begin(
    service: Service,
    request: Request,
    browser: Browser,
    *,
    user_id: int,
    methods: Iterable[str],
    then: str,
    authenticated_at: int | None = None,
    prepare: Callable[[Transaction], bool] = lambda _: True,
) -> Response | None:
    """Signs the user in and leads to `then`, a path of ours; whoever was signed in before is not any more.

    methods, authenticated_at: how and when the user proved who it is (RFC 8176); by default now.
    prepare: what belongs to it, in the same transaction; False stops it. None if it was stopped, or the user
    may not sign in.
    """
    cookie, methods = Handle.SESSION.generate(), tuple(methods)
    lifetime = service.settings.session_lifetime

    def work(tx: Transaction) -> str | None:
        user, account = tx.session.get_one(Principal, user_id), tx.session.get(UserAccount, user_id)
        tx.actor = user.name
        if account is None or account.disabled_at is not None or not prepare(tx):
            return None
        before = None if browser.session is None else tx.session.get(UserGrant, browser.session.grant_id)
        proved_at = tx.now if authenticated_at is None else min(authenticated_at, tx.now)
        row = user_grants.create(
            tx,
            SESSION,
            user,
            CONSOLE_ID,
            scope=None,
            authentication=Authentication(proved_at, methods),
            place=place(request),
            expires_at=tx.now + lifetime,
            cookie_hash=handle_hash(cookie, service.credentials.hash_key.key),
        )
        if before is not None and before.user_id == user_id:
            user_grants.hand_on(tx, before, row)
        elif before is not None:
            user_grants.end_session(tx, before)
        return user.name

    user = await service.write("", work)
    if user is None:
        return None
    note(request.scope, sub=user, signed_in=" ".join(methods))
    response = see_other(then)
    keep(response, SESSION_COOKIE, cookie, seconds=lifetime)
    return response


async def end(
    service: Service, session: BrowserSession, response: Response, *, at_client: str | None = None
) -> Response:
    """Signs out in this browser, and of the client that asked for it."""

    def work(tx: Transaction) -> None:
        row = tx.session.get(UserGrant, session.grant_id)
        if row is not None:
            user_grants.end_session(tx, row, at_client=at_client)

    await service.write(session.user, work)
    forget(response, SESSION_COOKIE)
    return response


async def issue(service: Service, session: BrowserSession, audience: str) -> Minted:
    """A token of the session, with all that its user may: it ends with the session.

    Raises Denial, NoSigningKey, ScopeRefused.
    """
    if audience not in service.settings.accepted_audiences:
        raise wrong_field("resource", "is no service known here")
    now = int(time.time())
    service.coherence.check()

    def work(reading: Session) -> Grant | None:
        row = reading.get(UserGrant, session.grant_id)
        loaded = None if row is None else user_grants.load(reading, row)
        return None if loaded is None else grant_of_session(loaded)

    grant = await service.read(work)
    if grant is None:
        raise Denial("invalid_token", "the session has ended")
    return service.mint.mint(grant, audience, None, now)


def is_recent(session: BrowserSession) -> bool:
    """Whether the user proved a moment ago who it is: nobody else has sat down in between."""
    return time.time() - session.authentication.at <= RECENT_SECONDS
