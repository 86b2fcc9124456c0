"""API tokens: those that one has, each can be renewed or deleted. A secret is shown once."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.console.browser import Browser, BrowserSession, browser_of, read_page_form
from issuer.console.pages import page, page_row, see_other, sign_in_first, target_of
from issuer.service import Service
from issuer.signing_in import sessions
from issuer.store import api_tokens, principals, role_keys
from issuer.store.api_tokens import ApiToken
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from keys import RoleKey as PresentedKey

LIST = "/tokens"
_MOST = 500
"""More than a page can show: who has so many asks the API for them."""


@dataclass(frozen=True, slots=True)
class Made:
    """What is told of a token beside its secret, when it is shown."""

    name: str
    expires_at: int | None
    audience: str
    """One of the services that it is for, if it is not for all."""

    @classmethod
    def of(cls, token: ApiToken) -> Made:
        return cls(token.key.name, token.key.expires_at, (token.row.audiences.split() or [""])[0])


async def get_tokens(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    session = browser.session
    if session is None:
        return sign_in_first(target_of(request))
    now = int(time.time())

    def work(reading: Session) -> list[ApiToken]:
        owner = principals.get(reading, session.user)
        found = api_tokens.list_of(reading, owner, after="", limit=_MOST, expired=None, now=now)
        reading.expunge_all()
        return sorted(found, key=lambda token: token.key.name.casefold())

    found = await service.read(work)
    return page(browser, "tokens.html", tokens=found, presets=service.settings.presets, now=now)


async def post_renew(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return sign_in_first(LIST)
    presented, hash_key = PresentedKey.generate(form.get("id", "")), service.credentials.hash_key

    def work(tx: Transaction) -> Made:
        known = _own(tx.session, session, presented.access)
        if known.key.expires_at is not None and known.key.expires_at <= tx.now:
            raise Conflict(f"{known.key.name} has expired: make a new API token")
        role_keys.renew(tx, known.owner, presented, hash_key, grace=0)
        return Made.of(known)

    made = await service.change(session.user, session.status_index, work)
    return shown(service, browser, made, presented)


async def post_delete(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session, access = browser.require_session(), form.get("id", "")

    def work(tx: Transaction) -> None:
        role_keys.delete_key(tx, _own(tx.session, session, access).owner, access)

    await service.change(session.user, session.status_index, work)
    return see_other(LIST)


def shown(service: Service, browser: Browser, made: Made, presented: PresentedKey) -> Response:
    """The page with the secret: the answer to a form, so that no address leads to it again."""
    return page(
        browser,
        "token_shown.html",
        made=made,
        secret=presented.reveal(),
        issuer_url=service.settings.issuer_url,
    )


def _own(session: Session, signed_in: BrowserSession, access: str) -> ApiToken:
    """Raises NotFound, for somebody else's too."""
    known = api_tokens.get(session, access)
    if known.owner.name != signed_in.user:
        raise NotFound(f"there is no API token {access}")
    return known


ROWS = (
    page_row("GET", LIST, get_tokens),
    page_row("POST", "/tokens/renew", post_renew),
    page_row("POST", "/tokens/delete", post_delete),
)
