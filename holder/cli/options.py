"""The options that every command has, written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from holder.cli.output import Format
from holder.cli.session import Choices, Session
from holder.errors import HolderError


def profile_names() -> list[str]:
    """What completion offers for the name of a profile. A shell that asks is told nothing of errors."""
    from holder import profile

    try:
        return profile.names()
    except HolderError:
        return []


_OPTIONS: dict[str, object] = {
    "url": Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="The issuer. [env: HOURMARK_URL; then the profile's]"),
    ],
    "profile": Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="Which kept sign-in. [env: HOURMARK_PROFILE; then `context use`]",
            autocompletion=profile_names,
        ),
    ],
    "app_token": Annotated[
        str | None,
        typer.Option(
            "--app-token",
            metavar="T",
            help="A role key or a token. [env: HOURMARK_TOKEN, HOURMARK_TOKEN_FILE; then the profile's]",
        ),
    ],
    "no_input": Annotated[bool | None, typer.Option("--no-input", help="Never ask anything.")],
    "output": Annotated[
        Format | None,
        typer.Option("-o", "--output", "--format", help="Form of the data; json is also for errors."),
    ],
    "format_template": Annotated[
        str | None,
        typer.Option(
            "--format-template", metavar="TEXT", help='Text with fields: "{{.Access}}:{{.Secret}}".'
        ),
    ],
    "field": Annotated[str | None, typer.Option("--field", metavar="NAME", help="One field alone.")],
}


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def noun(about: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        help=about, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )


def with_session(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with these options beside its own. They reach it as the Session that is its first argument.

    An option may stand before or after the command's name; the later one counts.
    """

    @functools.wraps(command)
    def run(
        *,
        ctx: typer.Context,
        url: str | None,
        profile: str | None,
        app_token: str | None,
        no_input: bool | None,
        output: Format | None,
        format_template: str | None,
        field: str | None,
        **own: object,
    ) -> None:
        chosen = Choices(url, profile, app_token, no_input, output, format_template, field)
        ctx.obj = chosen.over(ctx.obj) if isinstance(ctx.obj, Choices) else chosen
        session = Session(ctx.obj, ctx)
        try:
            command(session, **own)
        except HolderError as error:
            error.hint = error.hint or f"{ctx.command_path} --help"
            raise
        finally:
            session.close()

    _, *own = parameters_of(command)
    context = inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context)
    return taking(run, [context, *(each.replace(kind=_KEYWORD) for each in own), *optional(_OPTIONS)])


def parameters_of(command: Callable[..., None]) -> list[inspect.Parameter]:
    """With annotations that are no texts."""
    return list(inspect.signature(command, eval_str=True).parameters.values())


def optional(options: Mapping[str, object]) -> list[inspect.Parameter]:
    """Options that need not be given, by the name of the parameter."""
    return [
        inspect.Parameter(name, _KEYWORD, annotation=what, default=None) for name, what in options.items()
    ]


def taking(run: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    """`run`, said to have these parameters: they make its command line (PEP 362)."""
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
