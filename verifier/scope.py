"""A scope: the permissions of a token, and the words of other systems that travel with them.

A word without "@" (`openid`) is kept and compared whole; it is no permission and allows nothing here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from verifier.labels import RESERVED
from verifier.permission import InvalidPermission, Permission

MAX_CHARACTERS = 8192
MAX_PARTS = 256
MAX_OVERLAPS = 1024
"""How many pairs of permissions may overlap, neither within the other side, before `&` gives up."""
_REMEMBERED_CHARACTERS = 1024
_WORD = re.compile(r"[\x21\x23-\x3f\x41-\x5b\x5d-\x7e]+")
_NO_LABELS: Mapping[str, str] = {}
_Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """An immutable set of permissions and words. `str()` is its OAuth spelling (RFC 6749 section 3.3)."""

    permissions: tuple[Permission, ...] = ()
    """In the order of their spelling, without repetition."""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, permissions: Iterable[Permission], words: Iterable[str] = ()) -> Scope:
        """Those permissions and words, without what another one of them includes."""
        return cls(_ordered(_maximal(set(permissions))), tuple(sorted(set(words))))

    @staticmethod
    def parse(text: str) -> Scope:
        """Raises InvalidPermission if a part with "@" is no permission, a character is not allowed, or it is
        longer than MAX_CHARACTERS or MAX_PARTS.
        """
        return _parse(text) if len(text) > _REMEMBERED_CHARACTERS else _remembered(text)

    def __str__(self) -> str:
        return " ".join([*map(str, self.permissions), *self.words])

    def __bool__(self) -> bool:
        return bool(self.permissions or self.words)

    def __contains__(self, text: str) -> bool:
        """Whether `text` is one of its parts, compared whole."""
        return text in self.words or any(str(permission) == text for permission in self.permissions)

    def __and__(self, other: Scope) -> Scope:
        """What both allow.

        A permission within the other side stays as it is, so only the rest is met pair by pair. Raises
        InvalidPermission if more than MAX_OVERLAPS of these pairs, and more than either side has permissions,
        share something.
        """
        mine, theirs = self.beyond(other), other.beyond(self)
        inside = {*self.permissions, *other.permissions} - {*mine.permissions, *theirs.permissions}
        pairs = (one & two for one in mine.permissions for two in theirs.permissions)
        most = max(MAX_OVERLAPS, len(self.permissions), len(other.permissions))
        overlaps = list(islice((both for both in pairs if both is not None), most + 1))
        if len(overlaps) > most:
            raise InvalidPermission("the result would not fit a token: ask for less")
        return Scope.of([*inside, *overlaps], {*self.words} & {*other.words})

    def __le__(self, other: Scope) -> bool:
        """Whether each of its parts lies within a part of `other`."""
        return not self.beyond(other)

    def beyond(self, limit: Scope) -> Scope:
        """Its parts that lie within no part of `limit`: what somebody who holds `limit` cannot hand on."""
        return Scope(
            tuple(mine for mine in self.permissions if not any(mine <= held for held in limit.permissions)),
            tuple(word for word in self.words if word not in limit.words),
        )

    def covers(self, action: str, resource: str, labels: Mapping[str, str] = _NO_LABELS) -> bool:
        """Whether one of its permissions allows `action` ("noun:verb") on `resource` with these labels."""
        return any(permission.covers(action, resource, labels) for permission in self.permissions)

    def stamp(self, action: str, resource: str, labels: Mapping[str, str]) -> dict[str, str] | None:
        """`labels` with those of the selector that a resource made by `action` falls under.

        None if it would be out of reach, or if several selectors would take it and none needs the fewest
        labels. Labels that the platform sets are never added.
        """
        reachable = [
            {**labels, **dict(permission.labels)}
            for permission in self.permissions
            if permission.covers(action, resource, {**labels, **dict(permission.labels)})
            and all(labels.get(name, value) == value for name, value in permission.labels)
            and all(name in labels or not name.startswith(RESERVED) for name, _ in permission.labels)
        ]
        least = min(reachable, key=len, default=None)
        if least is None or any(not least.items() <= other.items() for other in reachable):
            return None
        return least

    def selectors_for(self, action: str, resource: str) -> tuple[str, ...]:
        """The labels by which somebody who makes a resource by `action` can bring it within reach.

        Those that the platform sets are nobody's to choose.
        """
        found = (
            permission
            for permission in self.permissions
            if permission.labels
            and permission.covers(action, resource, dict(permission.labels))
            and not any(name.startswith(RESERVED) for name, _ in permission.labels)
        )
        texts = (",".join(f"{name}={value}" for name, value in each.labels) for each in found)
        return tuple(dict.fromkeys(texts))

    def names_for(self, action: str) -> tuple[Permission, ...]:
        """Those that allow `action` ("noun:verb") on resources without labels: each by its name."""
        noun, _, verb = action.partition(":")
        return tuple(
            each
            for each in self.permissions
            if not each.labels and each.noun in ("*", noun) and each.verb in ("*", verb)
        )


def _parse(text: str) -> Scope:
    if len(text) > MAX_CHARACTERS:
        raise InvalidPermission(f"a scope is at most {MAX_CHARACTERS} characters long: ask for less")
    parts = [part for part in text.split(" ") if part]
    if len(parts) > MAX_PARTS:
        raise InvalidPermission(f"a scope has at most {MAX_PARTS} parts: ask for less")
    words = [part for part in parts if "@" not in part and part != "*"]
    for word in words:
        if _WORD.fullmatch(word) is None:
            raise InvalidPermission(f"{word[:100]!r} has a character that a scope cannot hold")
    permissions = {Permission.parse(part) for part in parts if "@" in part or part == "*"}
    return Scope(_ordered(permissions), tuple(sorted(set(words))))


_remembered = lru_cache(maxsize=1024)(_parse)
"""The same few scopes come with almost every token: they are parsed once. Long ones would fill the memory."""


def _ordered(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(sorted(permissions, key=str))


def _maximal(permissions: set[Permission]) -> Iterator[Permission]:
    """Without those that permit nothing or lie within another one.

    In the order of names a pattern comes before the names that it matches, and these follow without a gap:
    `open_` is the stack of those kept that match the present name. `wider` has their labels, by action and
    rarest label: whatever lies within one of them has that label too.
    """
    possible = [one for one in permissions if not one.is_contradictory]
    uses = Counter(label for one in possible for label in one.labels)
    open_: list[tuple[Permission, list[_Labels]]] = []
    wider: defaultdict[tuple[object, ...], list[_Labels]] = defaultdict(list)
    for one in sorted(possible, key=_widest_first):
        while open_ and not one.is_named_within(open_[-1][0]):
            open_.pop()[1].pop()
        labels = frozenset(one.labels)
        places = product({one.noun, "*"}, {one.verb, "*"}, (None, *one.labels))
        if not any(other <= labels for place in places for other in wider.get(place, ())):
            place = one.noun, one.verb, min(one.labels, key=uses.__getitem__, default=None)
            wider[place].append(labels)
            open_.append((one, wider[place]))
            yield one


def _widest_first(one: Permission) -> tuple[object, ...]:
    return one.name, not one.is_prefix, one.noun != "*", one.verb != "*", len(one.labels)
