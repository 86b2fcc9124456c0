"""Lists that the API pages and filters, as pages: by links and GET forms, which people can keep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from issuer.api.operation import Call
from issuer.api.query import Page, Query
from issuer.console import forms
from issuer.console.person import Person
from issuer.console.refusals import NOTHING, Wrong, by_field
from issuer.denials import Denial

_CURSOR = "cursor"
_LONG_CURSOR = 9
_FEW = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """What was found, and what was asked for."""

    items: list[Any]
    next_cursor: str | None
    asked: dict[str, str]
    """By the name of each filter that was filled in."""
    wrong: Wrong = field(default_factory=lambda: NOTHING)
    cursor: str = _CURSOR
    """The parameter that says where this begins: pages with two lists have two."""

    @property
    def beginning(self) -> str | None:
        """The query of the first page, by the same filters; None on it."""
        return urlencode(self.filters) if self.cursor in self.asked else None

    @property
    def more(self) -> str | None:
        """That of the next one; None on the last."""
        if self.next_cursor is None:
            return None
        return urlencode({**self.filters, self.cursor: self.next_cursor})

    @property
    def filters(self) -> dict[str, str]:
        """Those that were filled in, wherever in the list this is."""
        return {name: text for name, text in self.asked.items() if name != self.cursor}


def part_of(items: Sequence[Any], asked: dict[str, str], limit: int, cursor: str = _CURSOR) -> Listed:
    """One page of a list that is there as a whole: its cursor is a number of items to leave out."""
    text = asked.get(cursor, "")
    begin = int(text) if text.isascii() and text.isdigit() and len(text) < _LONG_CURSOR else 0
    end = begin + limit
    more = str(end) if end < len(items) else None
    return Listed(list(items[begin:end]), more, asked, cursor=cursor)


def newest_of(items: Sequence[Any], person: Person, cursor: str) -> Listed:
    """The same of a list on a page about something else: a few, the newest first."""
    asked = forms.given(person.query, cursor)
    return part_of(sorted(items, key=lambda item: item.created_at, reverse=True), asked, _FEW, cursor)


async def of(
    person: Person,
    operation: Callable[[Call], Awaitable[Any]],
    query: type[Query],
    *filters: str,
    **parameters: str,
) -> Listed:
    """One page of the list, by the filters in the person's query. Raises NotFound."""
    asked = forms.given(person.query, _CURSOR, *filters)
    try:
        read = forms.read(query, asked)
    except Denial as error:
        return Listed([], None, asked, by_field(error))
    shown: Page[Any] = await person.see(operation, read, **parameters)
    return Listed(shown.items, shown.next_cursor, asked)
