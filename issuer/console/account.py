"""The start page: who is signed in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from issuer.console.browser import browser_of
from issuer.console.pages import page, page_row, sign_in_first, target_of
from issuer.service import Service


async def get_account(service: Service, request: Request) -> Response:
    browser = await browser_of(service, request)
    if browser.session is None:
        return sign_in_first(target_of(request))
    return page(browser, "account.html")


ROWS = (page_row("GET", "/", get_account),)
