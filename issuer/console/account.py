"""The start page: who is signed in, how and where, which apps act for the user. All of it can be ended."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer import clients
from issuer.authorization import words
from issuer.console.browser import SESSION_COOKIE, BrowserSession, browser_of, forget, read_page_form
from issuer.console.pages import page, page_row, see_other, sign_in_first, target_of
from issuer.console.user_agents import browser_name
from issuer.service import Service
from issuer.signing_in import passkeys as passkey_host
from issuer.store import consents, passkeys, principals, sign_ins, upstream_identities, user_grants, users
from issuer.store.database import Transaction
from issuer.store.refusals import NotFound
from issuer.store.tables import PasskeyRow, UpstreamIdentity, UserGrant
from issuer.store.user_grants import CONSENT, SESSION
from issuer.store.users import User


@dataclass(frozen=True, slots=True)
class _SignIn:
    """A place where the user is signed in."""

    row: UserGrant
    client: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class _App:
    """An app that acts for the user."""

    row: UserGrant
    name: str
    may: tuple[str, ...]
    """In plain words."""


@dataclass(frozen=True, slots=True)
class _Account:
    """What the page shows."""

    user: User
    roles: list[str]
    passkeys: list[PasskeyRow]
    identities: list[UpstreamIdentity]
    sign_ins: list[_SignIn]
    apps: list[_App]


async def get_account(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    session = browser.session
    if session is None:
        return sign_in_first(target_of(request))
    lifetime = service.settings.session_lifetime
    account = await service.read(lambda reading: _account(reading, session, lifetime))
    return page(
        browser,
        "account.html",
        account=account,
        has_passkeys=passkey_host.host(service.settings) is not None,
        providers=service.settings.upstream_providers,
    )


async def post_end_sign_in(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()

    def work(tx: Transaction) -> None:
        user = principals.get(tx.session, session.user)
        shown = [row.id for row in user_grants.of_user(tx.session, user) if str(row.id) == form.get("id")]
        if not shown:
            raise NotFound("you are not signed in there")
        sign_ins.end(tx, user, shown[0])

    await service.change(session.user, session.status_index, work)
    return see_other("/#sign-ins")


async def post_sign_out_everywhere(service: Service, request: Request) -> Response:
    browser, _ = await read_page_form(service, request)
    session = browser.require_session()

    def work(tx: Transaction) -> None:
        sign_ins.end_all(tx, principals.get(tx.session, session.user))

    await service.change(session.user, session.status_index, work)
    answer = see_other("/login")
    forget(answer, SESSION_COOKIE)
    return answer


async def post_withdraw(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()

    def work(tx: Transaction) -> None:
        consents.withdraw(tx, principals.get(tx.session, session.user), form.get("client_id", ""))

    await service.change(session.user, session.status_index, work)
    return see_other("/#apps")


def _account(reading: Session, session: BrowserSession, session_lifetime: int) -> _Account:
    user = users.get(reading, session.name)
    grants = user_grants.of_user(reading, user.principal)
    roles = [role.name.removeprefix(principals.ROLE_PREFIX) for role, _ in users.memberships(reading, user)]
    account = _Account(
        user,
        roles,
        passkeys.of_user(reading, session.user_id),
        upstream_identities.of_user(reading, user.principal),
        [_sign_in(reading, row, session) for row in grants if row.kind != CONSENT],
        [_app(reading, row, session_lifetime) for row in grants if row.kind == CONSENT],
    )
    reading.expunge_all()
    return account


def _sign_in(reading: Session, row: UserGrant, session: BrowserSession) -> _SignIn:
    name = browser_name(row.user_agent) if row.kind == SESSION else clients.name_of(reading, row.client_id)
    # A name that begins with an article, as ours do, begins a line here; those of apps stay as they are.
    shown = name[:1].upper() + name[1:] if row.client_id == clients.CLI_ID else name
    return _SignIn(row, shown, row.id == session.grant_id)


def _app(reading: Session, row: UserGrant, session_lifetime: int) -> _App:
    scope = consents.scope_of(row)
    permissions = map(words.of_permission, scope.permissions)
    protocol = (words.of_word(word, session_lifetime) for word in scope.words)
    return _App(row, clients.name_of(reading, row.client_id), (*permissions, *protocol))


ROWS = (
    page_row("GET", "/", get_account),
    page_row("POST", "/account/sign-ins/end", post_end_sign_in),
    page_row("POST", "/account/sign-out-everywhere", post_sign_out_everywhere),
    page_row("POST", "/account/apps/withdraw", post_withdraw),
)
