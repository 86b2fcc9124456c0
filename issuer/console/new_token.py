"""Making an API token: what for, for how long, and with which labels; then it is shown, once."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from issuer import rfc3339
from issuer.api import token_form
from issuer.api.token_form import NewApiToken
from issuer.console.browser import Browser, browser_of, read_page_form
from issuer.console.pages import page, page_row, sign_in_first, target_of
from issuer.console.tokens import Made, shown
from issuer.denials import Denial, wrong_field, wrong_fields
from issuer.service import Service
from issuer.signing_in import sessions
from issuer.store import api_tokens, principals, rights
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict
from keys import RoleKey as PresentedKey

PATH = "/tokens/new"
_DAYS = ("7", "30", "90")
_NEVER = "never"
_FIELDS = {"never_expires": "expires_at"}
"""What is one field here and two of the API."""
_PRESET = "preset-"
"""How the fields of the presets begin: each is chosen by itself."""


async def get_form(service: Service, request: Request) -> Response:
    """Links may fill it in: `name`, `labels` and any number of `preset-NAME`."""
    browser = await browser_of(service, request)
    if browser.session is None or not sessions.is_recent(browser.session):
        return sign_in_first(target_of(request))
    return _form(service, browser, dict(request.query_params))


async def post_form(service: Service, request: Request) -> Response:
    browser, form = await read_page_form(service, request)
    session = browser.require_session()
    if not sessions.is_recent(session):
        return sign_in_first(PATH)
    presented, hash_key = PresentedKey.generate(), service.credentials.hash_key
    try:
        asked = _read(form)
        scope = token_form.scope_of(service.settings, asked)
        expires_at = token_form.expires_at(service.settings, asked)
    except Denial as error:
        return _form(service, browser, form, wrong=_by_field(error))

    def work(tx: Transaction) -> Made:
        owner = principals.get(tx.session, session.user)
        missing = scope.beyond(rights.held(tx.session, owner))
        if missing:
            raise wrong_field("presets", f"this is more than you may do: {missing} is missing")
        return Made.of(
            api_tokens.create(
                tx,
                owner,
                presented,
                hash_key,
                name=asked.name,
                scope=scope,
                purpose=asked.purpose(),
                expires_at=expires_at,
            )
        )

    try:
        made = await service.change(session.user, session.status_index, work)
    except Denial as error:
        return _form(service, browser, form, wrong=_by_field(error))
    except Conflict as error:
        return _form(service, browser, form, wrong={"name": str(error)})
    return shown(service, browser, made, presented)


def _read(form: Mapping[str, str]) -> NewApiToken:
    """Raises Denial, which names each field that is wrong."""
    days = form.get("expires", "")
    if days not in (*_DAYS, _NEVER):
        raise wrong_field("expires_at", "choose how long it is good")
    chosen = [name.removeprefix(_PRESET) for name in form if name.startswith(_PRESET)]
    if not chosen:
        raise wrong_field("presets", "choose at least one")
    try:
        return NewApiToken.model_validate(
            {
                "name": form.get("name", "").strip(),
                "description": form.get("description", ""),
                "presets": chosen,
                "label_selectors": form.get("labels", "").split(),
                "resources": form.get("resources", "").split(),
                "expires_at": None if days == _NEVER else rfc3339.write(time.time() + int(days) * 86400),
                "never_expires": days == _NEVER,
            }
        )
    except ValidationError as error:
        raise wrong_fields(error) from None


def _by_field(denial: Denial) -> dict[str, str]:
    found: list[dict[str, str]] = denial.members["errors"]  # type: ignore[assignment] # of wrong fields only
    return {_FIELDS.get(name := each["field"].partition(".")[0], name): each["message"] for each in found}


def _form(
    service: Service, browser: Browser, form: Mapping[str, str], *, wrong: Mapping[str, str] | None = None
) -> Response:
    return page(
        browser,
        "token_new.html",
        status=400 if wrong else 200,
        form=form,
        wrong=wrong or {},
        presets=service.settings.presets,
        days=_DAYS,
        may_never_expire=service.settings.api_tokens_without_expiry,
    )


ROWS = (
    page_row("GET", PATH, get_form),
    page_row("POST", PATH, post_form),
)
