"""Contexts: the kept sign-ins. A context is a profile, by the name that other command lines have for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from holder import profile
from holder.cli.options import noun, profile_names, with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, SignInNeeded
from holder.holder import PROFILE_OPTION, PROFILE_VARIABLE

if TYPE_CHECKING:
    from holder.profile import Profile

app = noun("The kept sign-ins: which there are, and which one counts.")
T = TypeVar("T")
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
    current = _readable(lambda: session.profile_name, None)
    view.many(
        _item(_readable(partial(profile.Profile.load, name), profile.Profile(name)), current, show_token)
        for name in profile.names()
    )


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

    session.say_if_set("is set and goes before it", PROFILE_VARIABLE, *credentials.VARIABLES)


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
            f"it is the one that counts ({session.profile_source}), and nobody has signed in to it",
            "hourmark login, or hourmark context use NAME",
            code="empty_context",
        )
    view.one(_item(kept, kept.name, show_token))


def _readable(read: Callable[[], T], otherwise: T) -> T:
    """One broken file hides no good one; what it takes to mend it is told."""
    try:
        return read()
    except HolderError as error:
        say(f"{error}. Try: {error.hint}")
        return otherwise


def _item(kept: Profile, current: str | None, show_token: bool) -> dict[str, object]:
    return {
        "name": kept.name,
        "current": kept.name == current,
        "endpoint": kept.url,
        "principal": kept.principal,
        "api_token": kept.token if show_token else _redacted(kept),
    }


def _redacted(kept: Profile) -> str | None:
    from holder import credentials

    if kept.sign_in is not None:
        return credentials.REDACTED
    return None if kept.token is None else credentials.Offer("", lambda: kept.token or "").redacted
