"""An error -> what an operator can do about it, as words or as JSON, and an exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import typer

OK, ERROR, USAGE, INTERRUPTED = 0, 1, 2, 130
Code = Literal[
    "usage",
    "invalid_setting",
    "not_installed",
    "system_error",  # a file, a disk, a socket
    "not_ready",  # the hint says what comes first
    "other_issuer",
    "database_unavailable",
    "invalid_name",
    "unknown_signing_key",
    "unknown_ring",
    "seal_broken",
    "audit_chain_broken",
    "not_confirmed",
    "interrupted",
]
"""Stable: programs act on it."""


class CommandError(Exception):
    """Why a command failed: one thing or several, and the command or setting that mends them, if any does."""

    def __init__(self, *what: str, code: Code, hint: str = "", exit_code: int = ERROR) -> None:
        super().__init__(*what)
        self.what = what
        self.code = code
        self.hint = hint
        self.exit_code = exit_code


def report(error: CommandError, *, as_json: bool) -> int:
    """On stderr: a line for each thing, or one object for all of them. Returns the exit code."""
    if as_json:
        said = {"error": "; ".join(error.what), "code": error.code, "hint": error.hint or None}
        typer.echo(json.dumps(said), err=True)
        return error.exit_code
    for what in error.what:
        typer.echo(f"hourmarkd: {what}: {error.hint}" if error.hint else f"hourmarkd: {what}", err=True)
    return error.exit_code


def report_usage(error: typer.TyperException, *, as_json: bool) -> int:
    """What the parser refused, and the form that it would have taken."""
    context: typer.Context | None = getattr(error, "ctx", None)
    hint = _behind_dashes(context) if context else ""
    if as_json:
        path = context.command_path if context else "hourmarkd"
        hint = f"`{path} --help` shows the right form{hint and '; '}{hint}"
        what = error.format_message().rstrip(".")
        return report(CommandError(what, code="usage", hint=hint, exit_code=USAGE), as_json=True)
    error.show()  # type: ignore[attr-defined]  # all that the parser raises has it
    if hint:
        typer.echo(f"Hint: {hint}", err=True)
    return USAGE


def report_interruption(*, as_json: bool) -> int:
    if as_json:
        return report(CommandError("Interrupted", code="interrupted", exit_code=INTERRUPTED), as_json=True)
    typer.echo("Interrupted.", err=True)
    return INTERRUPTED


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON. The parser cannot say: its errors come before it is done."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return any(
        word in ("-ojson", "--output=json") or (word in ("-o", "--output") and following == "json")
        for word, following in pairwise([*ours, ""])
    )


def explain(error: Exception) -> CommandError | None:
    """None for what no operator can mend: a defect, which is shown with its traceback."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, ModuleNotFoundError):
        hint = "the service needs `pip install 'hourmark[issuer]'`"
        return CommandError(f"{error.name} is not installed", code="not_installed", hint=hint)
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        what = f"{error.filename}: {reason}" if error.filename else str(error)
        return CommandError(what, code="system_error")
    return _explain_settings(error) or _explain_service(error)


def invalid_settings(*problems: str) -> CommandError:
    return CommandError(*problems, code="invalid_setting", exit_code=USAGE)


def _explain_settings(error: Exception) -> CommandError | None:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from issuer.configuration import problems_of

    if isinstance(error, ValidationError):
        return invalid_settings(*map(str, problems_of(error)))
    return invalid_settings(str(error)) if isinstance(error, SettingsError) else None


def _explain_service(error: Exception) -> CommandError | None:
    from sqlalchemy.exc import SQLAlchemyError

    from issuer.obstacle import Obstacle

    code = next((code for kind, code in _codes() if isinstance(error, kind)), None)
    if code is None:
        return None
    if isinstance(error, Obstacle):
        return CommandError(error.what, code=code, hint=error.mend)
    if isinstance(error, SQLAlchemyError):
        # The driver's text may hold the database's password.
        what = f"the database does not answer ({type(error).__name__})"
        return CommandError(what, code=code, hint="check HOURMARKD_DATABASE_URL")
    return CommandError(str(error), code=code)


def _codes() -> tuple[tuple[type[Exception], Code], ...]:
    """What the service's own errors are called; the special ones come first."""
    from sqlalchemy.exc import SQLAlchemyError

    from issuer.obstacle import Obstacle
    from issuer.rotation import UnknownRing
    from issuer.status import OtherIssuer
    from issuer.store.database import StoreUnavailable
    from issuer.store.names import InvalidName
    from issuer.store.signing_keys import UnknownSigningKey
    from keys import SealBroken

    return (
        (OtherIssuer, "other_issuer"),
        (Obstacle, "not_ready"),
        (StoreUnavailable, "database_unavailable"),
        (SQLAlchemyError, "database_unavailable"),
        (InvalidName, "invalid_name"),
        (UnknownSigningKey, "unknown_signing_key"),
        (UnknownRing, "unknown_ring"),
        (SealBroken, "seal_broken"),
    )


def _behind_dashes(context: typer.Context) -> str:
    """Of a command that takes a name, how one is written that looks like an option."""
    for parameter in context.command.params:
        if isinstance(parameter, typer.core.TyperArgument):
            name = parameter.metavar or str(parameter.name).upper()
            return f"a {name} that begins with - is written behind --: `{context.command_path} -- {name}`"
    return ""
