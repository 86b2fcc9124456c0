"""The two cookies of a browser at an app: what it began by, and what it was let in by.

Both are for the app's host alone and unreadable to scripts, and the app itself never gets them.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from issuer import cookie_header

_BROWSER, _VISIT = "hourmark-browser", "hourmark-visit"
_HOST_PREFIX = "__Host-"
_BROWSER_SECONDS = 3600


def browser(request: Request, scheme: str) -> str:
    """What the browser began by; "" if it did not."""
    return cookie_header.the_only(request, _name(_BROWSER, scheme))


def visit(request: Request, scheme: str) -> str:
    """What it was let in by; "" if it was not."""
    return cookie_header.the_only(request, _name(_VISIT, scheme))


def keep_browser(response: Response, scheme: str, value: str) -> None:
    _keep(response, _name(_BROWSER, scheme), scheme, value, _BROWSER_SECONDS)


def keep_visit(response: Response, scheme: str, value: str, seconds: int) -> None:
    _keep(response, _name(_VISIT, scheme), scheme, value, seconds)


def of_the_app(request: Request) -> str:
    """The Cookie header without ours, wherever they stand in it: some proxies make one of two by a comma."""
    kept = [pair for pair in cookie_header.pairs(request) if _BROWSER not in pair and _VISIT not in pair]
    return "; ".join(kept)


def _name(name: str, scheme: str) -> str:
    """With the prefix browsers take it for this host alone, and from no other (RFC 6265bis section 4.1.3.2).

    Without TLS they do not take it at all.
    """
    return _HOST_PREFIX + name if scheme == "https" else name


def _keep(response: Response, name: str, scheme: str, value: str, seconds: int) -> None:
    is_secure = scheme == "https"
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=is_secure, httponly=True, samesite="lax"
    )
