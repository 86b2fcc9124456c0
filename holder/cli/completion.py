"""Completion in the user's shell: the script, and the answers to it.

The script calls `hourmark` with a variable that holds the question. The issuer is never asked for an answer:
pressing a key sends no credential anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer

from holder.cli.options import with_session
from holder.cli.session import Session
from holder.errors import UsageError

_QUESTION = "_HOURMARK_COMPLETE"


class Shell(StrEnum):
    """Those that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@with_session
def completion(
    session: Session,
    shell: Annotated[
        Shell | None, typer.Argument(metavar="bash|zsh|fish", help="Without: the one that $SHELL names.")
    ] = None,
) -> None:
    """Print the script that makes TAB complete commands.

    \b
    Examples:
      source <(hourmark completion bash)    in ~/.bashrc
      source <(hourmark completion zsh)     in ~/.zshrc, after compinit
      hourmark completion fish > ~/.config/fish/completions/hourmark.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # not in its __all__

    name = shell or _own_shell(session.environ)
    typer.echo(get_completion_script(prog_name="hourmark", complete_var=_QUESTION, shell=str(name)))


def prepare_answers(environ: Mapping[str, str]) -> None:
    """Makes the parser answer the shell's question, if it is one that `environ` holds."""
    if _QUESTION in environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]  # not in its __all__

        completion_init()


def _own_shell(environ: Mapping[str, str]) -> Shell:
    name = PurePath(environ.get("SHELL", "")).name
    try:
        return Shell(name)
    except ValueError:
        raise UsageError(
            "Which shell is it for?",
            f"$SHELL names {name}, for which there is no script" if name else "$SHELL is not set",
            "hourmark completion bash, or zsh, or fish",
        ) from None
