"""Signing in: with a password, a passkey, or at another provider, which has its own page below."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from issuer.browser import Browser, browser_of, read_page_form
from issuer.console.pages import form_targets_behind, own_path, page, page_row, sign_in_first, target_of
from issuer.service import Service
from issuer.signing_in import passkeys, passwords, sessions
from issuer.signing_in.passkeys import PasskeyRefused
from issuer.signing_in.passwords import WrongPassword
from issuer.store.passkeys import note_use
from issuer.store.passwords import KnownPassword, is_still


async def get_login(service: Service, request: Request) -> Response:
    """Also for who is signed in: to prove it again, or to sign in as somebody else."""
    browser = await browser_of(service, request)
    asked = request.query_params
    return _form(service, browser, own_path(asked.get("next")), user=asked.get("login_hint", ""))


async def post_login(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    then, user = own_path(form.get("next")), form.get("user", "").strip()
    try:
        if "credential" in form:
            answer = await _with_passkey(service, request, browser, form["credential"], then)
        else:
            known = await passwords.prove(service, request, user, form.get("password", ""))
            answer = await _by_password(service, request, browser, known, then)
    except PasskeyRefused as error:
        return _form(service, browser, then, passkey_wrong=str(error))
    except WrongPassword as error:
        return _form(service, browser, then, user=user, wrong=str(error))
    # Disabled or gone within the last moments: no other answer than for whoever was so before.
    return answer or _form(service, browser, then, user=user, wrong=str(WrongPassword()))


async def _by_password(
    service: Service, request: Request, browser: Browser, known: KnownPassword, then: str
) -> Response | None:
    return await sessions.begin(
        service,
        request,
        browser,
        user_id=known.user_id,
        methods=passwords.METHODS,
        then=then,
        # Proving waits in a line: a password that was changed meanwhile opens nothing.
        prepare=lambda tx: is_still(tx, known),
    )


async def _with_passkey(
    service: Service, request: Request, browser: Browser, credential: str, then: str
) -> Response | None:
    proof = await passkeys.prove(service, request, browser, credential)
    return await sessions.begin(
        service,
        request,
        browser,
        user_id=proof.row.user_id,
        methods=passkeys.METHODS,
        then=then,
        prepare=lambda tx: note_use(tx, proof.row, proof.sign_count),
    )


async def get_signed_in(service: Service, request: Request) -> Response:
    """For who signed in beside a form that waits in another tab."""
    browser = await browser_of(service, request)
    return page(browser, "signed_in.html") if browser.session else sign_in_first(target_of(request))


def _form(
    service: Service,
    browser: Browser,
    then: str,
    *,
    user: str = "",
    wrong: str | None = None,
    passkey_wrong: str | None = None,
) -> Response:
    return page(
        browser,
        "login.html",
        status=200 if wrong is None and passkey_wrong is None else 400,
        form_targets=form_targets_behind(then),
        then=then,
        user=user or ("" if browser.session is None else browser.session.name),
        wrong=wrong,
        passkey=passkeys.options_to_sign_in(service, browser),
        passkey_wrong=passkey_wrong,
        providers=service.settings.upstream_providers,
    )


ROWS = (
    page_row("GET", "/login", get_login),
    page_row("POST", "/login", post_login),
    page_row("GET", "/signed-in", get_signed_in),
)
