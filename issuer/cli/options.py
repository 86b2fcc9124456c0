"""What every command shares: the form of its data, and the settings that it works with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from issuer.settings import Settings

Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="text or json")]


def noun(about: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


def say(text: str) -> None:
    """Words for people. Data goes to stdout, so these do not."""
    typer.echo(text, err=True)


def write_table(rows: Iterable[list[str]]) -> None:
    """Columns for people, on stdout."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def read_settings() -> Settings:
    """The settings; says which names it passes over. Raises ValidationError, SettingsError."""
    from issuer.settings import Settings, unknown_names

    for name in unknown_names():
        say(f"hourmarkd: {name} is passed over: there is no such setting")
    return Settings()
