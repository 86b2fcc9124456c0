"""Changing how one signs in: only for who proved a moment ago who it is."""

from __future__ import annotations

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.browser import Browser, BrowserSession, browser_of, read_page_form, see_other
from issuer.console.pages import page, page_row, sign_in_first
from issuer.service import Service
from issuer.signing_in import passkeys, passwords, sessions
from issuer.signing_in.passkeys import PasskeyRefused
from issuer.store import passkeys as stored_passkeys
from issuer.store import principals, users
from issuer.store.database import Transaction
from issuer.store.passwords import set_hash
from issuer.store.refusals import NotFound
from issuer.store.tables import PasskeyRow
from issuer.store.users import User

_PASSWORD, _PASSKEYS = "/account/password", "/account/passkeys"
_MAX_NAME = 60


async def get_password(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    if browser.session is None or not sessions.is_recent(browser.session):
        return sign_in_first(_PASSWORD)
    return _password_form(browser, browser.session)


async def post_password(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return sign_in_first(_PASSWORD)
    password = form.get("password", "")
    wrong = passwords.wrong_with(password, form.get("again"), session.name)
    if wrong is not None:
        return _password_form(browser, session, wrong=wrong)
    password_hash = await passwords.hashed(password)

    def work(tx: Transaction) -> None:
        set_hash(tx, users.get(tx.session, session.name), password_hash, keep=session.grant_id)

    await service.change(session.user, session.status_index, work)
    return see_other("/#ways")


async def get_passkeys(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    if browser.session is None or not sessions.is_recent(browser.session):
        return sign_in_first(_PASSKEYS)
    return await _passkey_form(service, browser, browser.session)


async def post_passkeys(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return sign_in_first(_PASSKEYS)
    user = await service.read(lambda reading: users.get(reading, session.name))
    try:
        made = passkeys.read_new(service, browser, user, form.get("credential", ""))
    except PasskeyRefused as error:
        typed = form.get("name", "")
        return await _passkey_form(service, browser, session, name=typed, wrong=str(error))
    name = "".join(filter(str.isprintable, form.get("name", "")))[:_MAX_NAME].strip() or passkeys.USUAL_NAME

    def work(tx: Transaction) -> None:
        made.add(tx, principals.get(tx.session, session.user), name)

    await service.change(session.user, session.status_index, work)
    return see_other("/#ways")


async def post_remove_passkey(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return sign_in_first("/")

    def work(tx: Transaction) -> None:
        try:
            credential_id = bytes.fromhex(form.get("id", ""))
        except ValueError:
            raise NotFound("there is no such passkey") from None
        stored_passkeys.remove(tx, principals.get(tx.session, session.user), credential_id)

    await service.change(session.user, session.status_index, work)
    return see_other("/#ways")


def _password_form(browser: Browser, session: BrowserSession, *, wrong: str | None = None) -> Response:
    return page(
        browser,
        "password.html",
        status=200 if wrong is None else 400,
        user=session.name,
        wrong=wrong,
        min_characters=passwords.MIN_CHARACTERS,
    )


async def _passkey_form(
    service: Service, browser: Browser, session: BrowserSession, *, name: str = "", wrong: str | None = None
) -> Response:
    def read(reading: Session) -> tuple[User, list[PasskeyRow]]:
        return users.get(reading, session.name), stored_passkeys.of_user(reading, session.user_id)

    user, known = await service.read(read)
    options = passkeys.options_to_register(service, browser, user, known)
    if options is None:
        raise NotFound("there are no passkeys at an address: they need a host with a name")
    return page(
        browser,
        "passkey.html",
        status=200 if wrong is None else 400,
        name=name,
        passkey=options,
        passkey_wrong=wrong,
    )


ROWS = (
    page_row("GET", _PASSWORD, get_password),
    page_row("POST", _PASSWORD, post_password),
    page_row("GET", _PASSKEYS, get_passkeys),
    page_row("POST", _PASSKEYS, post_passkeys),
    page_row("POST", f"{_PASSKEYS}/remove", post_remove_passkey),
)
