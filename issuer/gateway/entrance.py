"""The issuer's page in front of an app: a browser is let in with a token, or as whoever is signed in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from issuer.authentication.callers import Caller
from issuer.authorization import consent
from issuer.browser import Browser, BrowserSession, browser_of, read_page_form, see_other
from issuer.browser import place as browser_place
from issuer.console.pages import page, page_row
from issuer.credentials import InvalidCredential
from issuer.denials import Denial
from issuer.gateway.entering import ENTRANCE, Way
from issuer.gateway.forward_auth import TOLD_APART, is_for
from issuer.gateway.known import ProtectedApp
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import consents, principals, rights, visits
from issuer.store.database import Transaction
from issuer.store.status_indices import Ended
from issuer.store.tables import Principal, RoleKeyRow, Secret, UserGrant
from issuer.store.user_grants import Place
from issuer.store.visits import Opened
from issuer.telemetry import note
from verifier import Scope, Token, TokenError, Unavailable

_ACTION = "app:query"
_WITH_TOKEN, _AS_USER = f"{ENTRANCE}/token", f"{ENTRANCE}/session"


async def get_entrance(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    way, app = await _way(service, request.query_params)
    return _form(service, browser, way, app)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A credential that was typed in, and is good."""

    caller: Caller
    open: Callable[[Transaction], Opened]
    """What it opens a visit as; it is in force inside the transaction."""


async def post_token(service: Service, request: Request) -> Response:
    """With an API token or another role key, or with a token."""
    browser, form = await read_page_form(service, request)
    way, app = await _way(service, form)
    text = form.get("token", "").strip()

    async def attempt() -> Response:
        try:
            shown = await _shown(service, request, text)
        except (InvalidCredential, TokenError) as error:
            return _form(service, browser, way, app, wrong=_why_no_good(error))
        caller = shown.caller
        obstacle = _obstacle(service, caller, app)
        if obstacle is not None:
            return _form(service, browser, way, app, wrong=obstacle)
        place = browser_place(request)
        code = await service.change(
            caller.logged_as,
            caller.status_index,
            lambda tx: _begin(service, tx, way, app, shown.open(tx), place=place),
        )
        return see_other(way.back(code))

    return await service.once_more(attempt)


async def post_session(service: Service, request: Request) -> Response:
    """As the user who is signed in, once that user has agreed to what the app wants."""
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    way, app = await _way(service, form)
    said = consent.read_said(form) if "decision" in form else None
    held, known = await service.read(lambda reading: _held_and_known(reading, session, app))
    if not held.covers(_ACTION, app.client.name, app.labels):
        wrong = f"{session.display_name} may not open {app.client.name}: {_needed(app)} is missing."
        return _form(service, browser, way, app, session_wrong=wrong)
    if said is not None and not said.allows:
        wrong = f"{app.client.name} may not act for you, so it was not opened."
        return _form(service, browser, way, app, session_wrong=wrong)
    wanted = Scope(app.client.scope.permissions)
    is_agreed = said is not None and wanted <= said.scope
    if not is_agreed and not consent.within(wanted, held) <= known:
        return _ask(service, browser, way, app, held=held, known=known)

    def work(tx: Transaction) -> str:
        row = tx.session.get_one(UserGrant, session.grant_id)
        if is_agreed:
            user = tx.session.get_one(Principal, session.user_id)
            consent.remember(tx, user, app.client, wanted, row)
        opened = Opened(session.user_id, session_id=row.id, expires_at=row.expires_at)
        return _begin(service, tx, way, app, opened, place=browser_place(request))

    code = await service.change(session.user, session.status_index, work)
    return see_other(way.back(code))


async def _way(service: Service, parameters: Mapping[str, str]) -> tuple[Way, ProtectedApp]:
    """Raises Denial, StoreUnavailable."""
    way = Way.read(parameters, service.credentials.hash_key.key, time.time())
    if way is None:
        raise Denial("not_permitted", "this link is too old, or not as it was made: open the app again")
    app = await service.door.app_at(way.host)
    if app is None:
        raise Denial("not_found", f"no app is registered for {way.host} any more")
    return way, app


async def _shown(service: Service, request: Request, text: str) -> _Shown:
    """Raises InvalidCredential, TokenError, Denial, StoreUnavailable."""
    service.coherence.check()
    if ":" in text:
        grant = await service.role_keys.prove(request, text)
        return _Shown(Caller.by_secret(grant), lambda tx: _opened_by_key(tx, grant))
    token = service.door.verifier.verify(text)
    note(request.scope, client_id=token.client_id, sub=token.subject, jti=token.token_id)
    audiences = await service.role_keys.audiences_behind(token.client_id)
    return _Shown(Caller.by_token(token, audiences), lambda tx: _opened_by_token(tx, token))


def _why_no_good(error: InvalidCredential | TokenError) -> str:
    """Of what somebody made up no more than that. Raises Denial while nobody can know."""
    if isinstance(error, Unavailable):
        raise Denial("temporarily_unavailable", error.detail) from error
    if isinstance(error, InvalidCredential):
        return _sentence(str(error))
    if error.code in TOLD_APART:
        return _sentence(error.detail)
    return "That is no valid token: it is mistyped or cut off, or it was not issued here."


def _obstacle(service: Service, caller: Caller, app: ProtectedApp) -> str | None:
    """Why a good token does not open the app."""
    if not is_for(service.settings, app, caller):
        return "This token is for other services."
    if not caller.scope.covers(_ACTION, app.client.name, app.labels):
        return f"This token does not open {app.client.name}: {_needed(app)} is missing."
    return None


def _needed(app: ProtectedApp) -> str:
    return f"{_ACTION}@{app.client.name}"


def _opened_by_key(tx: Transaction, grant: Grant) -> Opened:
    """The secret that was shown; it is in force inside the transaction."""
    row, secret_id = tx.session.exec(
        select(RoleKeyRow, Secret.id)
        .join(Secret, col(Secret.access) == RoleKeyRow.access)
        .where(RoleKeyRow.access == grant.client_id, Secret.status_index == grant.status_index)
    ).one()
    return Opened(row.principal_id, secret_id=secret_id, expires_at=grant.ends_at)


def _opened_by_token(tx: Transaction, token: Token) -> Opened:
    """It has no secret here: the visit has its rights, and its end."""
    principal, status = principals.find(tx.session, token.subject), token.status
    if principal is None or status is None:
        raise Ended("whoever the token is of was deleted while the request was under way")
    claims = json.dumps(token.to_claims())
    return Opened(principal.id, claims=claims, token_index=status.index, expires_at=int(token.expires_at))


def _begin(
    service: Service, tx: Transaction, way: Way, app: ProtectedApp, opened: Opened, *, place: Place
) -> str:
    return visits.begin(
        tx,
        app.client.client_id,
        opened,
        target=way.target,
        browser_hash=way.browser.encode(),
        address=place.address,
        user_agent=place.user_agent,
        lifetime=service.settings.session_lifetime,
        hash_key=service.credentials.hash_key.key,
    )


def _held_and_known(reading: Session, session: BrowserSession, app: ProtectedApp) -> tuple[Scope, Scope]:
    """What the user may do, and what the user agreed to before."""
    held = rights.held(reading, reading.get_one(Principal, session.user_id))
    return held, consents.scope_of(consents.find(reading, session.user_id, app.client.client_id))


def _form(
    service: Service,
    browser: Browser,
    way: Way,
    app: ProtectedApp,
    *,
    wrong: str | None = None,
    session_wrong: str | None = None,
) -> Response:
    return page(
        browser,
        "enter.html",
        status=200 if wrong is None and session_wrong is None else 400,
        form_targets=[way.origin],
        app=app,
        way=way.parameters(service.credentials.hash_key.key),
        query=way.query(service.credentials.hash_key.key),
        wrong=wrong,
        session_wrong=session_wrong,
    )


def _ask(
    service: Service, browser: Browser, way: Way, app: ProtectedApp, *, held: Scope, known: Scope
) -> Response:
    wanted = Scope(app.client.scope.permissions)
    return page(
        browser,
        "enter_consent.html",
        form_targets=[way.origin],
        app=app,
        way=way.parameters(service.credentials.hash_key.key),
        query=way.query(service.credentials.hash_key.key),
        scope=wanted,
        new=consent.wishes(wanted.beyond(known), held, service.settings),
        before=consent.wishes(known, held, service.settings) if known else [],
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


ROWS = (
    page_row("GET", ENTRANCE, get_entrance),
    page_row("POST", _WITH_TOKEN, post_token),
    page_row("POST", _AS_USER, post_session),
)
