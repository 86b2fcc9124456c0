"""An error -> words on stderr and an exit code: one table for every command."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import typer

from holder.cli.output import printable
from holder.errors import HolderError, Interrupted, NotPermitted, SignInNeeded, Unreachable, UsageError

OK, ERROR, USAGE, SIGN_IN_NEEDED, NOT_PERMITTED, UNREACHABLE, INTERRUPTED = 0, 1, 2, 4, 5, 7, 130
_EXIT_CODES: tuple[tuple[type[HolderError], int], ...] = (
    (UsageError, USAGE),
    (SignInNeeded, SIGN_IN_NEEDED),
    (NotPermitted, NOT_PERMITTED),
    (Unreachable, UNREACHABLE),
    (Interrupted, INTERRUPTED),
    (HolderError, ERROR),
)


_OUTPUT = re.compile(r"(?:-H?o=?|--output=|--format=)(.*)|--output|--format", re.ASCII)


def report(error: HolderError, *, as_json: bool) -> int:
    """Says it on stderr; returns the exit code."""
    typer.echo(_json(error) if as_json else _words(error), err=True)
    return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))


def of_command_line(error: typer.TyperException) -> UsageError:
    """What the parser refused, with the command whose help shows the right form."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "hourmark")
    return UsageError(error.format_message().rstrip("."), hint=f"{path} --help")


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON. The parser cannot say: its errors come before it is done."""
    ours = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    forms = [
        match[1] or following
        for word, following in zip(ours, [*ours[1:], ""], strict=True)
        if (match := _OUTPUT.fullmatch(word)) is not None
    ]
    return forms[-1:] == ["json"]


def _words(error: HolderError) -> str:
    lines = [f"Error: {error.what}"]
    lines += [f"  why: {error.why}"] if error.why else []
    lines += [f"  try: {error.hint}"] if error.hint else []
    lines += [f"  request: {error.request_id}"] if error.request_id else []
    return "\n".join(map(printable, lines))


def _json(error: HolderError) -> str:
    return json.dumps(
        {"error": str(error), "code": error.code, "hint": error.hint or None, "request_id": error.request_id}
    )
