"""A browser: its two cookies, who is signed in there, what proves its forms, and how it is led elsewhere.

Both cookies are for this host alone and unreadable to scripts. The token of a form is a keyed hash over both,
so that of another browser, or of another session in the same one, is worth nothing.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer import cookie_header
from issuer.body import read_form
from issuer.denials import Denial
from issuer.service import Service
from issuer.store import user_grants
from issuer.store.database import StoreUnavailable, Transaction
from issuer.store.tables import Principal, UserAccount, UserGrant
from issuer.store.user_grants import Authentication, Place
from issuer.telemetry import note, source
from keys import Handle, base64url, handle_hash
from keys.secret import random_text

BROWSER_COOKIE, SESSION_COOKIE = "__Host-hourmark-browser", "__Host-hourmark-session"
_YEAR = 365 * 86400
_RANDOM_CHARACTERS = 32
_USE_PERIOD = 600
"""Seconds between two times that a session's use is written down."""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A user who is signed in in a browser."""

    grant_id: int
    status_index: int
    user: str
    """`user:NAME`."""
    user_id: int
    display_name: str
    """As people write it; the name if nobody has written another."""
    authentication: Authentication

    @property
    def name(self) -> str:
        return self.user.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Browser:
    """Whoever asks for a page."""

    session: BrowserSession | None
    csrf: str = field(repr=False)
    """What its forms send as `csrf`."""
    new_cookie: str | None = field(default=None, repr=False)
    """What it is known by from now on; None if it is known already."""

    def require_session(self) -> BrowserSession:
        """Raises Denial: of a form, for its page asked to sign in first."""
        if self.session is None:
            raise Denial("not_permitted", "nobody is signed in here any more: sign in, then try again")
        return self.session


class LateForm(Denial):
    """A form of one of our pages, of another sign-in than the one at hand, if there is any."""

    def __init__(self, browser: Browser, form: Mapping[str, str]) -> None:
        super().__init__(
            "not_permitted",
            "this form is of another sign-in, or the browser keeps no cookies: load its page again",
        )
        self.browser = browser
        self.form = form


async def browser_of(service: Service, request: Request) -> Browser:
    """Raises StoreUnavailable."""
    hash_key = service.credentials.hash_key.key
    presented = cookie_header.the_only(request, SESSION_COOKIE)
    session, new_cookie = None, None
    if Handle.SESSION.is_whole(presented):
        cookie_hash, now = handle_hash(presented, hash_key), int(time.time())
        found = await service.read(lambda reading: _session(reading, cookie_hash, now))
        if found is not None:
            session, is_use_due = found
            note(request.scope, sub=session.user)
            if is_use_due:
                await _note_use(service, session)
    browser_cookie = cookie_header.the_only(request, BROWSER_COOKIE)
    if len(browser_cookie) != _RANDOM_CHARACTERS:
        browser_cookie = new_cookie = random_text(_RANDOM_CHARACTERS)
    bound = "\0".join(("csrf", browser_cookie, presented if session else ""))
    csrf = base64url.encode(hmac.digest(hash_key, bound.encode(), "sha256")).decode()
    return Browser(session, csrf, new_cookie)


async def read_page_form(service: Service, request: Request) -> tuple[Browser, dict[str, str]]:
    """The browser and the form that it sends from one of our pages. Raises Denial for one from elsewhere."""
    form = await read_form(request)
    return await sender_of(service, request, form), form


async def sender_of(service: Service, request: Request, form: Mapping[str, str]) -> Browser:
    """The browser of a form that was read already. Raises Denial unless it comes from one of our pages."""
    own = service.settings.origin
    is_ours = request.headers.get("origin", own) == own
    if not is_ours or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Denial(
            "not_permitted", f"this form was sent from a page elsewhere: open {service.settings.issuer_url}"
        )
    browser = await browser_of(service, request)
    if not hmac.compare_digest(form.get("csrf", "").encode(), browser.csrf.encode()):
        raise LateForm(browser, form)
    return browser


def see_other(path: str) -> Response:
    """Leads to another page, after whatever was done (RFC 9110 section 15.4.4)."""
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": path, "Cache-Control": "no-store"})


def place(request: Request) -> Place:
    """Where a browser, or a device, asks from."""
    return Place(source(request.scope), request.headers.get("user-agent", ""))


def keep(response: Response, name: str, value: str, *, seconds: int = _YEAR) -> None:
    """Sets one of the cookies: for this host alone, over TLS or loopback, unreadable to scripts."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def forget(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def _session(reading: Session, cookie_hash: bytes, now: int) -> tuple[BrowserSession, bool] | None:
    """Who is signed in by this cookie, and whether it is time to write down that it is used."""
    row = user_grants.by_cookie(reading, cookie_hash)
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    user, account = reading.get_one(Principal, row.user_id), reading.get(UserAccount, row.user_id)
    if account is None or account.disabled_at is not None:
        return None
    session = BrowserSession(
        grant_id=row.id,
        status_index=row.status_index,
        user=user.name,
        user_id=user.id,
        display_name=account.display_name or user.name.partition(":")[2],
        authentication=Authentication(row.authenticated_at, tuple(row.methods.split())),
    )
    return session, now - (row.last_used_at or row.created_at) >= _USE_PERIOD


async def _note_use(service: Service, session: BrowserSession) -> None:
    def write(tx: Transaction) -> None:
        row = tx.session.get(UserGrant, session.grant_id)
        if row is not None:
            user_grants.note_use(tx.session, row, tx.now)

    # A page that only shows something is worth more than knowing when.
    with suppress(StoreUnavailable):
        await service.write(session.user, write)
