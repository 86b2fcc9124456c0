"""The issuer's page in front of an app: a browser is let in with a token, or as whoever is signed in."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from issuer.authorization import consent
from issuer.console.browser import Browser, BrowserSession, browser_of, read_page_form
from issuer.console.pages import page, page_row, see_other
from issuer.credentials import InvalidCredential
from issuer.denials import Denial
from issuer.gateway.entering import ENTRANCE, Way
from issuer.gateway.known import ProtectedApp
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import consents, rights, visits
from issuer.store.database import Transaction
from issuer.store.tables import Principal, RoleKeyRow, Secret, UserGrant
from issuer.store.visits import Opened
from verifier import Scope

_ACTION = "app:query"
_WITH_TOKEN, _AS_USER = f"{ENTRANCE}/token", f"{ENTRANCE}/session"


async def get_entrance(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    way, app = await _way(service, request.query_params)
    return _form(service, browser, way, app)


async def post_token(service: Service, request: Request) -> Response:
    """With an API token, or another role key."""
    browser, form = await read_page_form(service, request)
    way, app = await _way(service, form)
    text = form.get("token", "").strip()

    async def attempt() -> Response:
        if ":" not in text:
            wrong = "That is no API token: it has two parts, with a colon between them."
            return _form(service, browser, way, app, wrong=wrong)
        try:
            grant = await service.role_keys.prove(request, text)
        except InvalidCredential as error:
            return _form(service, browser, way, app, wrong=_sentence(str(error)))
        obstacle = _obstacle(service, grant, app)
        if obstacle is not None:
            return _form(service, browser, way, app, wrong=obstacle)
        code = await service.change(
            grant.client_id,
            grant.status_index,
            lambda tx: _begin(service, tx, way, app, _opened_by_key(tx, grant)),
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
        return _begin(service, tx, way, app, opened)

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


def _obstacle(service: Service, grant: Grant, app: ProtectedApp) -> str | None:
    """Why a good token does not open the app."""
    if grant.audiences and app.service(service.settings) not in grant.audiences:
        return "This API token is for other services."
    if not grant.rights.covers(_ACTION, app.client.name, app.labels):
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


def _begin(service: Service, tx: Transaction, way: Way, app: ProtectedApp, opened: Opened) -> str:
    return visits.begin(
        tx,
        app.client.client_id,
        opened,
        target=way.target,
        browser_hash=way.browser.encode(),
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
