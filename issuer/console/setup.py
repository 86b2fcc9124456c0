"""Setting up how to sign in, by a link that is good once: for the first time, or when a password was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from issuer.browser import Browser, browser_of, read_page_form
from issuer.console.pages import page, page_row
from issuer.denials import Denial
from issuer.service import Service
from issuer.signing_in import passkeys, passwords, sessions
from issuer.signing_in.passkeys import PasskeyRefused
from issuer.store import credentials, invitations
from issuer.store.database import Transaction
from issuer.store.passwords import set_hash
from issuer.store.users import User
from keys import Handle, handle_hash


@dataclass(frozen=True, slots=True)
class _Link:
    """A set-up link that is good at this moment."""

    secret: str = field(repr=False)
    hash: bytes = field(repr=False)
    user: User

    @classmethod
    async def find(cls, service: Service, secret: str) -> _Link:
        """Raises Denial."""
        if not Handle.INVITATION.is_whole(secret):
            raise _no_such_link()
        link_hash, now = handle_hash(secret, service.credentials.hash_key.key), int(time.time())
        user = await service.read(lambda session: invitations.find(session, link_hash, now))
        if user is None:
            raise _no_such_link()
        return cls(secret, link_hash, user)

    async def use(
        self,
        service: Service,
        request: Request,
        browser: Browser,
        methods: tuple[str, ...],
        establish: Callable[[Transaction, User], object],
    ) -> Response:
        """Uses it up in the transaction that does what it is for. The user is signed in here alone."""

        def prepare(tx: Transaction) -> bool:
            user = invitations.use_up(tx, self.hash)
            if user is None:
                return False
            credentials.end_sign_ins_of(tx, user.principal)
            establish(tx, user)
            return True

        user_id = self.user.principal.id
        answer = await sessions.begin(
            service, request, browser, user_id=user_id, methods=methods, then="/", prepare=prepare
        )
        if answer is None:
            raise _no_such_link()
        return answer


async def get_setup(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    link = await _Link.find(service, request.query_params.get("invitation", ""))
    return _form(service, browser, link)


async def post_setup(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    link = await _Link.find(service, form.get("invitation", ""))
    if "credential" in form:
        try:
            made = passkeys.read_new(service, browser, link.user, form["credential"])
        except PasskeyRefused as error:
            return _form(service, browser, link, passkey_wrong=str(error))
        return await link.use(
            service,
            request,
            browser,
            passkeys.METHODS,
            lambda tx, user: made.add(tx, user.principal, passkeys.USUAL_NAME),
        )
    password = form.get("password", "")
    wrong = passwords.wrong_with(password, form.get("again"), link.user.name)
    if wrong is not None:
        return _form(service, browser, link, wrong=wrong)
    password_hash = await passwords.hashed(password)
    return await link.use(
        service, request, browser, passwords.METHODS, lambda tx, user: set_hash(tx, user, password_hash)
    )


def _no_such_link() -> Denial:
    return Denial(
        "not_found",
        "this set-up link was used already, has expired, or was cut off: ask whoever sent it for a new one",
    )


def _form(
    service: Service,
    browser: Browser,
    link: _Link,
    *,
    wrong: str | None = None,
    passkey_wrong: str | None = None,
) -> Response:
    return page(
        browser,
        "setup.html",
        status=200 if wrong is None and passkey_wrong is None else 400,
        user=link.user,
        invitation=link.secret,
        wrong=wrong,
        min_characters=passwords.MIN_CHARACTERS,
        passkey=passkeys.options_to_register(service, browser, link.user, []),
        passkey_wrong=passkey_wrong,
    )


ROWS = (page_row("GET", "/setup", get_setup), page_row("POST", "/setup", post_setup))
