"""The Cookie header, read as browsers write it (RFC 6265 section 4.2.1), and no other way.

Whoever answers at a host above or below may set cookies here too. Browsers let nobody else have a name that
begins with `__Host-`, but they know nothing of names that begin so once blanks of Unicode are taken off. And
of two by one name nobody can tell which is of this host.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request

_BLANKS = " \t"


def pairs(request: Request) -> Iterator[str]:
    """As they were sent, by one header or by several (RFC 9113 section 8.2.3)."""
    for header in request.headers.getlist("Cookie"):
        yield from (pair.strip(_BLANKS) for pair in header.split(";") if pair.strip(_BLANKS))


def the_only(request: Request, name: str) -> str:
    """The value of the cookie with this name; "" if there is none, or more than one."""
    found = (pair.partition("=") for pair in pairs(request))
    values = [value.strip(_BLANKS) for its_name, _, value in found if its_name.strip(_BLANKS) == name]
    return values[0] if len(values) == 1 else ""
