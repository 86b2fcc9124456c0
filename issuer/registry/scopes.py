"""Docker's scopes, as clients send them: `repository:samples/app:pull,push`, often several at once.

Whatever has not their form asks for nothing that there is, so nothing is granted for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MAX_RESOURCES = 100
"""Clients ask for two at most, when they copy a layer from one repository to another."""
Asked = Mapping[tuple[str, str], frozenset[str]]
"""By type and name of a resource the actions that are asked for; `*` is any."""
_FORM = re.compile(r"([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z*]+(?:,[a-z*]+)*)", re.ASCII)
"""The name may hold colons. A class, as in `repository(plugin)`, makes no difference here."""


class TooManyResources(ValueError):
    """More than any client asks for at once."""

    def __init__(self) -> None:
        super().__init__(f"ask for {MAX_RESOURCES} repositories at most at once")


def parse(scopes: Iterable[str]) -> Asked:
    """All of them merged, in the order in which they were asked for. Raises TooManyResources."""
    asked: dict[tuple[str, str], frozenset[str]] = {}
    for scope in scopes:
        for text in scope.split():
            match = _FORM.fullmatch(text)
            if match is None:
                continue
            resource = match[1], match[2]
            asked[resource] = asked.get(resource, frozenset()) | {*match[3].split(",")}
            if len(asked) > MAX_RESOURCES:
                raise TooManyResources
    return asked
