"""What a command works with: the choices on its command line and in the environment, and what follows."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import typer

from holder.cli.output import Format, View, printable
from holder.holder import Holder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choices:
    """The options that every command has; None where nothing was chosen."""

    url: str | None = None
    profile: str | None = None
    app_token: str | None = dataclasses.field(default=None, repr=False)
    no_input: bool | None = None
    output: Format | None = None
    format_template: str | None = None
    field: str | None = None

    def over(self, earlier: Choices) -> Choices:
        """These choices, and the earlier ones where nothing was chosen again."""
        return Choices(
            url=_first(self.url, earlier.url),
            profile=_first(self.profile, earlier.profile),
            app_token=_first(self.app_token, earlier.app_token),
            no_input=_first(self.no_input, earlier.no_input),
            output=_first(self.output, earlier.output),
            format_template=_first(self.format_template, earlier.format_template),
            field=_first(self.field, earlier.field),
        )


class Session(Holder):
    """A holder at a terminal, or in a script."""

    def __init__(
        self, choices: Choices, context: typer.Context, environ: Mapping[str, str] = os.environ
    ) -> None:
        super().__init__(
            url=choices.url, profile=choices.profile, app_token=choices.app_token, environ=environ
        )
        self.choices = choices
        self.context = context

    @property
    def why_not_ask(self) -> str | None:
        """What keeps us from asking the user; None where somebody is there and wants to be asked."""
        if self.choices.no_input:
            return "--no-input forbids to ask"
        if self.environ.get("CI"):
            return "CI is set, so nobody is asked"
        return None if sys.stdin.isatty() and sys.stderr.isatty() else "there is no terminal to ask on"

    def view(
        self, fields: Sequence[str], *, usual: Format = Format.TABLE, shown_once: str | None = None
    ) -> View:
        """How to show data with `fields`; `usual` is the form where none was chosen. Raises UsageError."""
        chosen = self.choices
        line = chosen.format_template, chosen.field
        return View(fields, chosen.output, *line, usual=usual, shown_once=shown_once)

    def say_if_set(self, what: str, *variables: str) -> None:
        """Tells of each of these variables that is set what that means."""
        for variable in variables:
            if self.environ.get(variable):
                say(f"{variable} {what}.")


def say(text: str) -> None:
    """Words for people, on stderr. What an issuer or a file said may be among them."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=True)


def _first(one: T | None, other: T | None) -> T | None:
    return other if one is None else one
