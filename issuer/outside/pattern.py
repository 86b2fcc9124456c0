"""Patterns of trust policies: `*` is one or more characters of one segment, everything else stands for
itself.

Segments end at `/` and at `:`, which `*` never crosses; there is at most one `*` in each. A pattern is
compared with the whole of a text, in time that grows with its length alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WILDCARD = "*"
_DELIMITER = re.compile(r"([/:])")


class InvalidPattern(ValueError):
    """A text that is no pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, taken apart."""

    text: str
    parts: tuple[str, ...]
    """Segments and what stands between them, in turn."""

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Raises InvalidPattern."""
        parts = split(text)
        if any(part.count(WILDCARD) > 1 for part in parts):
            raise InvalidPattern("a segment has one * at most, and none crosses / or :")
        return cls(text, parts)

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` is as the pattern says."""
        found = split(text)
        return len(found) == len(self.parts) and all(map(_is_as, self.parts, found))


def split(text: str) -> tuple[str, ...]:
    """Segments and what stands between them, in turn."""
    return tuple(_DELIMITER.split(text))


def _is_as(part: str, text: str) -> bool:
    before, wildcard, behind = part.partition(WILDCARD)
    if not wildcard:
        return text == part
    return len(text) > len(before) + len(behind) and text.startswith(before) and text.endswith(behind)
