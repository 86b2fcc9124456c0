"""What people call what they make: for people to read, and nothing is found by it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def _check(text: str) -> str:
    if text and not text.strip():
        raise ValueError("it is only white space: write what people can read")
    return text


_Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
DisplayName = Annotated[_Line, AfterValidator(_check)]
NeededName = Annotated[_Line, Field(min_length=1), AfterValidator(_check)]
