"""A token that is given to a command: as its argument, or on standard input, which no history keeps."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from holder.errors import UsageError

Argument = Annotated[str | None, typer.Argument(metavar="TOKEN", help='A token; "-" is standard input.')]


def read(raw: str | None, command: str) -> str:
    """`command`: how the argument is written. Raises UsageError."""
    if raw is None and sys.stdin.isatty():
        raise UsageError("There is no token", hint=f'{command}, or "-" for standard input')
    text = raw if raw not in (None, "-") else sys.stdin.read(64 * 1024)
    text = text.strip()
    if text.startswith("hmk_"):
        raise UsageError(
            "This is a role key, not a token",
            "only the issuer can tell whether a role key is good",
            "hourmark whoami; or get a token with it: hourmark login token",
        )
    return text
