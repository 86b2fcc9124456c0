"""A form that came too late: its session ended meanwhile, or its user signed in anew or must prove who it is.

Nothing was done, and nothing that was typed is lost: the page has it all, to be sent again. Only a form that
says itself that it comes from one of our pages is kept: that of a stranger is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from issuer.browser import Browser, LateForm, read_page_form
from issuer.console import expiry
from issuer.console.pages import page, target_of
from issuer.service import Service

_OF_THE_PAGE = ("csrf", "version", "was-")
"""How the fields begin that nobody typed."""
_SHOWN_ONCE = "secret"
"""A field with what is in one answer, and in no other."""
_UNSHOWN = "token"
_MOST_SHOWN = 200


async def read(service: Service, request: Request) -> tuple[Browser, dict[str, str]] | Response:
    """The browser and its form, of somebody who is signed in; or the page that keeps it. Raises Denial."""
    try:
        browser, form = await read_page_form(service, request)
    except LateForm as late:
        if not _is_worth_keeping(request, late.form):
            raise
        return keep(late.browser, request, late.form)
    if browser.session is None and _is_worth_keeping(request, form):
        return keep(browser, request, form)
    browser.require_session()
    return browser, form


def keep(browser: Browser, request: Request, form: Mapping[str, str], *, is_proved: bool = True) -> Response:
    """is_proved: whether its user proved lately enough who it is, if anybody is signed in."""
    shown = {name: text for name, text in _typed(form).items() if name != _UNSHOWN}
    return page(
        browser,
        "unsent.html",
        status=HTTPStatus.FORBIDDEN,
        target=target_of(request),
        is_proved=is_proved,
        kept={name: text for name, text in form.items() if name != "csrf"},
        shown=dict(_said(name, text[:_MOST_SHOWN]) for name, text in shown.items()),
    )


def _is_worth_keeping(request: Request, form: Mapping[str, str]) -> bool:
    return "origin" in request.headers and _SHOWN_ONCE not in form and bool(_typed(form))


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in form.items() if not name.startswith(_OF_THE_PAGE)}


def _said(name: str, text: str) -> tuple[str, str]:
    """A field and what is in it, as people read them; a choice as its form words it."""
    title, choices = expiry.FIELDS.get(name, (name.replace("_", " ").replace("-", " ").capitalize(), {}))
    return title, choices.get(text, text)
