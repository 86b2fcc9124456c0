"""A scope: the permissions of a token, and the words of other systems that travel with them.

A word without "@" (`openid`) is kept and compared whole; it is no permission and allows nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from verifier.permission import InvalidPermission, Permission

MAX_CHARACTERS = 8192
_WORD = re.compile(r"[\x21\x23-\x3f\x41-\x5b\x5d-\x7e]+")
_NO_LABELS: Mapping[str, str] = {}


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
        """Raises InvalidPermission if a part with "@" is no permission or a character is not allowed."""
        return _parse(text)

    def __str__(self) -> str:
        return " ".join([*map(str, self.permissions), *self.words])

    def __bool__(self) -> bool:
        return bool(self.permissions or self.words)

    def __contains__(self, text: str) -> bool:
        """Whether `text` is one of its parts, compared whole."""
        return text in self.words or any(str(permission) == text for permission in self.permissions)

    def __and__(self, other: Scope) -> Scope:
        """What both allow."""
        pairs = (mine & theirs for mine in self.permissions for theirs in other.permissions)
        return Scope.of(
            (both for both in pairs if both is not None), (word for word in self.words if word in other.words)
        )

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


@lru_cache(maxsize=1024)
def _parse(text: str) -> Scope:
    """The same few scopes come with almost every token: they are parsed once."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidPermission(f"a scope is at most {MAX_CHARACTERS} characters long: ask for less")
    parts = [part for part in text.split(" ") if part]
    words = [part for part in parts if "@" not in part and part != "*"]
    for word in words:
        if _WORD.fullmatch(word) is None:
            raise InvalidPermission(f"{word[:100]!r} has a character that a scope cannot hold")
    permissions = {Permission.parse(part) for part in parts if "@" in part or part == "*"}
    return Scope(_ordered(permissions), tuple(sorted(set(words))))


def _ordered(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(sorted(permissions, key=str))


def _maximal(permissions: set[Permission]) -> Iterable[Permission]:
    """Without those that permit nothing or lie within another one."""
    return (
        one
        for one in permissions
        if not one.is_contradictory and not any(one <= other for other in permissions if other is not one)
    )
