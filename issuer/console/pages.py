"""Pages: templates into answers that run nothing but our own, and refusals that people can read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from issuer.browser import BROWSER_COOKIE, Browser, keep, see_other
from issuer.console import long_names, moments, static_files
from issuer.console.refusals import for_people
from issuer.resources import Handler, Row
from issuer.service import Service
from issuer.telemetry import REFUSE

_HOST_SOURCE = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""One slash, and nothing that browsers read as a second one, or leave out: backslashes, white space."""
_MAX_PATH = 8192
_ADVICE = {
    "not_permitted": ("Not permitted", "Go back, load the page again, and try once more."),
    "insufficient_scope": ("Not permitted", "Ask whoever gives out roles here."),
    "not_found": ("Nothing is here", "If a link led here, it may be out of date."),
    "slow_down": ("Too many attempts", "Wait until then, and try once more."),
    "temporarily_unavailable": ("Not available right now", "Nothing was changed. Try again in a moment."),
    "method_not_allowed": ("That did not work", "Go back, and use the form on the page."),
    "invalid_token": ("Signed out meanwhile", "Nothing was changed. Sign in again, then try once more."),
    "server_error": (
        "Something went wrong",
        "Try again. If it goes wrong again, give whoever runs this service the number below.",
    ),
}
_OTHER_ADVICE = ("That did not work", "Go back and try again.")

_templates = Environment(
    loader=PackageLoader("issuer.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["static"] = static_files.path
_templates.globals["style_sheets"] = static_files.STYLE_SHEETS
_templates.filters.update(
    moment=moments.moment,
    day=moments.day,
    from_now=moments.from_now,
    breakable=long_names.breakable,
    actor=long_names.actor,
)


def page(
    browser: Browser | None,
    template: str,
    *,
    status: int = 200,
    form_targets: Iterable[str] = (),
    is_live: bool = False,
    **context: object,
) -> Response:
    """The template as an answer, with `browser`, and its session as `session`, in its context.

    form_targets: redirect URIs, or their origins, that the answer to a form may lead to: browsers follow no
    other after they sent one (CSP, `form-action`).
    is_live: whether its script asks here for more, which no other page's may.
    """
    session = None if browser is None else browser.session
    text = _templates.get_template(template).render(browser=browser, session=session, **context)
    response = HTMLResponse(text, status, headers=_headers(form_targets, is_live=is_live))
    if browser is not None and browser.new_cookie is not None:
        keep(response, BROWSER_COOKIE, browser.new_cookie)
    return response


def page_row(method: str, path: str, handler: Handler) -> Row:
    """A row whose refusals are pages too: never JSON, and never a redirect."""

    async def respond(service: Service, request: Request) -> Response:
        request.scope[REFUSE] = refusal_page
        return await handler(service, request)

    return Row(method, path, respond)


def sign_in_first(request_target: str, *, login_hint: str = "") -> Response:
    """To the page that signs in and comes back to `request_target`: a path, with its query if it has one.

    login_hint: the user name that its form begins with.
    """
    hint = f"&login_hint={quote(login_hint)}" if login_hint else ""
    return see_other(f"/login?next={quote(request_target, safe='/')}{hint}")


def target_of(request: Request) -> str:
    """The path and query of a request."""
    path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
    return f"{path}?{query}" if query else path


def own_path(text: str | None) -> str:
    """`text` if it is a path of this issuer; else the start page, so that no link leads people elsewhere."""
    if text is None or len(text) > _MAX_PATH or _OWN_PATH.fullmatch(text) is None:
        return "/"
    return text


def form_targets_behind(path: str) -> list[str]:
    """Where the page at `path`, of ours, may lead on at once: a client whose request needs no question.

    Whether the client is known is that page's business. Here it only says what the browser is not to stop.
    """
    uris = parse_qs(urlsplit(path).query).get("redirect_uri", [])[:1]
    with suppress(ValueError):
        return [uri for uri in uris if _source(uri) not in ("javascript:", "data:")]
    return []


def _headers(form_targets: Iterable[str], *, is_live: bool) -> dict[str, str]:
    connect = "connect-src 'self'; " if is_live else ""
    form_action = " ".join(["'self'", *map(_source, form_targets)])
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
            f"{connect}form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
        ),
        # Forms send their origin, which `no-referrer` would keep back; nobody else hears of a path.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def _source(uri: str) -> str:
    """What a policy calls the place of a redirect URI (CSP section 2.3.1). Raises ValueError.

    A policy knows no IPv6 addresses, and of an app's own scheme no host.
    """
    url = urlsplit(uri)
    origin = f"{url.scheme}://{url.netloc}"
    if _HOST_SOURCE.fullmatch(origin):
        return origin
    if _SCHEME.fullmatch(url.scheme) and (url.scheme not in ("http", "https") or "[" in url.netloc):
        return f"{url.scheme}:"
    raise ValueError("a form leads to a URI with a scheme and a plain host")


def refusal_page(error: Exception, *, path: str, request_id: str) -> Response:
    """The refusal as a page; as `denials.answer`, which other rows have."""
    del path
    refused = for_people(error)
    title, advice = _ADVICE.get(refused.code, _OTHER_ADVICE)
    detail = refused.detail[:1].upper() + refused.detail[1:]
    answer = page(
        None,
        "error.html",
        status=refused.status,
        title=title,
        detail=detail,
        advice=advice,
        request_id=request_id,
    )
    answer.headers.update(refused.headers)
    return answer
