"""`If-Match` and `If-None-Match` (RFC 9110 section 13): who changes a role says which version was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from issuer.denials import Denial

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_ANY = "*"


def etag(version: int | str) -> str:
    """The entity tag of what is at this version."""
    return f'"{version}"'


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The entity tags of one request; None for a header that is not there."""

    if_match: frozenset[str] | None
    if_none_match: frozenset[str] | None

    @classmethod
    def of(cls, request: Request) -> Preconditions:
        """Raises Denial."""
        return cls(_tags(request, "If-Match"), _tags(request, "If-None-Match"))

    def require(self, version: int | None) -> None:
        """For a change of what is at this version, None if there is nothing (any more). Raises Denial."""
        self.require_match(version)
        if self.knows(version):
            raise Denial("precondition_failed", "it is at a version that If-None-Match names")

    def require_match(self, version: int | None) -> None:
        """`If-Match`, by strong comparison. Raises Denial."""
        if self.if_match is None:
            return
        if version is None:
            raise Denial(
                "precondition_failed", "there is nothing here that If-Match could match: leave it out"
            )
        if self.if_match.isdisjoint((_ANY, etag(version))):
            raise Denial(
                "precondition_failed",
                "it has changed since: look at it again, and send the ETag that comes with it as If-Match",
            )

    def knows(self, version: int | None) -> bool:
        """Whether `If-None-Match` names it, by weak comparison."""
        if self.if_none_match is None or version is None:
            return False
        return not self.if_none_match.isdisjoint((_ANY, etag(version), f"W/{etag(version)}"))


def _tags(request: Request, name: str) -> frozenset[str] | None:
    lines = request.headers.getlist(name)
    if not lines:
        return None
    text = ", ".join(lines).strip(" \t")
    if text == _ANY:
        return frozenset((_ANY,))
    tags = _TAG.findall(text)
    # Tags may hold commas, but no NUL, which no header can hold; empty elements are allowed.
    elements = {element.strip(" \t") for element in _TAG.sub("\0", text).split(",")}
    if not tags or not elements <= {"\0", ""}:
        raise Denial("invalid_request", f"{name} is * or entity tags with their quotes, as they came in ETag")
    return frozenset(tags)


NONE = Preconditions(None, None)
"""Of a request without them."""
