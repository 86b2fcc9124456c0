"""Contexts: the kept sign-ins. A context is a profile, by the name that other command lines have for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from holder import profile
from holder.cli.options import noun, profile_names, with_session
from holder.cli.session import PROFILE_OPTION, PROFILE_VARIABLE, Session, say
from holder.errors import HolderError, SignInNeeded

if TYPE_CHECKING:
    from holder.profile import Profile

app = noun("The kept sign-ins: which there are, and which one counts.")
_FIELDS = ("name", "current", "endpoint", "principal", "api_token")
ShowToken = Annotated[bool, typer.Option("--show-token", help="Show the role key whole.")]


@app.command("list")
@with_session
def list_(session: Session, show_token: ShowToken = False) -> None:
    """Show the kept sign-ins. Role keys are hidden.

    \b
    Examples:
      hourmark context list
      hourmark context list --field name
    """
    view = session.view(_FIELDS)
    rows = []
    for name in profile.names():
        try:
            kept = profile.Profile.load(name)
        except HolderError as error:
            # The others are good, and this one must be seen to be mended.
            say(f"{error}. Try: {error.hint}")
            kept = profile.Profile(name)
        rows.append(_item(session, kept, show_token))
    view.many(rows)


@app.command()
@with_session
def use(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="As `context list` shows it.", autocompletion=profile_names)
    ],
) -> None:
    """Make a kept sign-in the one that counts when a command names none.

    \b
    Example:
      hourmark context use staging
    """
    known = profile.names()
    if name not in known:
        raise HolderError(
            f"There is no context {name[:80]!r}",
            f"those that are kept: {', '.join(known)}" if known else "none is kept yet",
            f"hourmark context use {known[0]}" if known else f"hourmark login {PROFILE_OPTION} NAME",
            code="no_such_context",
        )
    profile.use(name)
    say(f"The context {name} counts from now on.")
    from holder import credentials

    session.say_if_set(
        "is set and goes before it", PROFILE_VARIABLE, credentials.VARIABLE, credentials.FILE_VARIABLE
    )


@app.command()
@with_session
def current(session: Session, show_token: ShowToken = False) -> None:
    """Show the kept sign-in that counts. Its role key is hidden.

    \b
    Examples:
      hourmark context current
      hourmark context current --field endpoint
      hourmark context current --show-token --field api_token
    """
    view = session.view(_FIELDS)
    kept = session.profile
    if kept.url is None:
        raise SignInNeeded(
            f"The context {kept.name} keeps nothing",
            f"it counts because of {session.profile_source}, and nobody has signed in to it",
            "hourmark login, or hourmark context use NAME",
            code="empty_context",
        )
    view.one(_item(session, kept, show_token))


def _item(session: Session, kept: Profile, show_token: bool) -> dict[str, object]:
    return {
        "name": kept.name,
        "current": kept.name == session.profile_name,
        "endpoint": kept.url,
        "principal": kept.principal,
        "api_token": kept.token if show_token else _redacted(kept),
    }


def _redacted(kept: Profile) -> str | None:
    from holder import credentials

    offers = credentials.kept(kept)
    return offers[0].redacted if offers else None
