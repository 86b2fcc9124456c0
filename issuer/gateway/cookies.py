"""The two cookies of a browser at an app: what it began by, and what it was let in by.

Both are for the app's host alone and unreadable to scripts, and the app itself never gets them. Who answers at
a host above or below may set cookies here too: over https never by our names, else by one of two that nobody
tells apart, and then neither counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

_BROWSER, _VISIT = "hourmark-browser", "hourmark-visit"
_HOST_PREFIX = "__Host-"
_BROWSER_SECONDS = 3600
_BLANKS = " \t"
"""What RFC 6265 takes off. Any more of it, and a browser would not know the prefix of a name that we do."""


def browser(request: Request, scheme: str) -> str:
    """What the browser began by; "" if it did not."""
    return _value(request, _name(_BROWSER, scheme))


def visit(request: Request, scheme: str) -> str:
    """What it was let in by; "" if it was not."""
    return _value(request, _name(_VISIT, scheme))


def keep_browser(response: Response, scheme: str, value: str) -> None:
    _keep(response, _name(_BROWSER, scheme), scheme, value, _BROWSER_SECONDS)


def keep_visit(response: Response, scheme: str, value: str, seconds: int) -> None:
    _keep(response, _name(_VISIT, scheme), scheme, value, seconds)


def of_the_app(request: Request) -> str:
    """The Cookie header without ours, wherever they stand in it: some proxies make one of two by a comma."""
    kept = [pair for pair in _pairs(request) if _BROWSER not in pair and _VISIT not in pair]
    return "; ".join(kept)


def _name(name: str, scheme: str) -> str:
    """With the prefix browsers take it for this host alone, and from no other (RFC 6265bis section 4.1.3.2).

    Without TLS they do not take it at all.
    """
    return _HOST_PREFIX + name if scheme == "https" else name


def _value(request: Request, name: str) -> str:
    """That of the only one; "" if there are two."""
    pairs = (pair.partition("=") for pair in _pairs(request))
    values = [value.strip(_BLANKS) for found, _, value in pairs if found.strip(_BLANKS) == name]
    return values[0] if len(values) == 1 else ""


def _pairs(request: Request) -> Iterator[str]:
    """As they were sent, by one header or by several (RFC 9113 section 8.2.3)."""
    for header in request.headers.getlist("Cookie"):
        yield from (pair.strip(_BLANKS) for pair in header.split(";") if pair.strip(_BLANKS))


def _keep(response: Response, name: str, scheme: str, value: str, seconds: int) -> None:
    is_secure = scheme == "https"
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=is_secure, httponly=True, samesite="lax"
    )
