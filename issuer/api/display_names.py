"""What people call what they make: for people to read, and nothing is found by it."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from issuer.api.worded import ONE_LINE

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of all that follows, so that a name reads as another (Unicode TR 36)."""
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Categories of characters that show nothing by themselves."""


def _tidy(text: str) -> str:
    """Without white space at its ends, which nobody sees, and nobody types again."""
    if not _TURNS.isdisjoint(text):
        raise ValueError("it has a character that turns the direction of writing: leave that out")
    if text and all(unicodedata.category(each) in _INVISIBLE for each in text):
        raise ValueError("it is only white space: write what people can read")
    return text.strip()


_Line = Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
DisplayName = Annotated[str, _Line, ONE_LINE, AfterValidator(_tidy)]
NeededName = Annotated[str, _Line, Field(min_length=1), ONE_LINE, AfterValidator(_tidy)]
