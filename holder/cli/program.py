"""`hourmark`: all commands, and what becomes of an error."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from holder.cli import completion, errors
from holder.cli.commands import Commands
from holder.cli.options import noun, with_session
from holder.cli.parameters import leave_text_alone
from holder.cli.session import Session
from holder.errors import HolderError, Interrupted, UsageError

if TYPE_CHECKING:
    from typer._click.core import Command  # what `typer.main.get_command` gives; it has no public name
    from typer.core import TyperGroup

_app = noun(
    """One-hour tokens from a Hourmark issuer, for people and jobs.

    \b
    Examples:
      hourmark login --url https://issuer.example
      hourmark role key new org.account.name --expires 90d
      HOURMARK_TOKEN=ACCESS:SECRET hourmark login token
    """
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hourmark {version('hourmark')}")
        raise typer.Exit


@_app.callback(invoke_without_command=True)
@with_session
def hourmark(
    session: Session,
    version: Annotated[  # noqa: ARG001 - its callback does all the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Show what there is, where nothing was asked for."""
    if session.context.invoked_subcommand is None:
        typer.echo(session.context.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line; returns the exit code.

    When whoever reads stdout has left, the parser ends the process with 1, as `head` wants it.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    completion.prepare_answers(os.environ)
    if sys.stdin is None:  # closed by whoever started this: there is nothing to read, and nobody to ask
        sys.stdin = io.StringIO()
    try:
        _check_text(arguments)
        return _end(arguments)
    except HolderError as error:
        return errors.report(error, as_json=errors.wants_json(arguments))


def _check_text(arguments: Sequence[str]) -> None:
    """Bytes that are no text come as lone surrogates, which nothing behind this can write or send."""
    for position, argument in enumerate(arguments, 1):
        if not argument.isascii() and any("\ud800" <= character <= "\udfff" for character in argument):
            raise UsageError(
                f"Argument {position} is no text",
                "it has bytes that are not UTF-8",
                "type it again, in a terminal that is set to UTF-8",
            )


@functools.cache
def root() -> Command:
    """What begins every command line."""
    command = typer.main.get_command(_app)
    leave_text_alone(command)
    cast("TyperGroup", command).commands = Commands()  # type: ignore[assignment]  # the parser only reads
    return command


def _end(arguments: Sequence[str]) -> int:
    """Every way in which the parser or a command can end, as an exit code or a HolderError."""
    try:
        code = root().main(list(arguments), prog_name="hourmark", standalone_mode=False)
    except typer.TyperException as error:
        raise errors.of_command_line(error) from None
    except (typer.Abort, KeyboardInterrupt):
        raise Interrupted from None
    except OSError as error:
        raise HolderError(
            "The output cannot be written",
            str(error),
            "write it where there is room",
            code="output_not_written",
        ) from None
    if code == errors.INTERRUPTED:  # the parser's own answer to Ctrl-C
        raise Interrupted
    return code if isinstance(code, int) else errors.OK
