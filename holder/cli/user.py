"""Users: people, who may what their roles may."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from holder.cli import user_role
from holder.cli.moments import parse_duration
from holder.cli.options import noun, with_session
from holder.cli.session import Session

app = noun("Users: people, who may what their roles may.")
app.add_typer(user_role.app, name="role")
UserName = Annotated[str, typer.Argument(metavar="NAME", help="ada, or ada.lovelace")]


class State(StrEnum):
    """Whether anything of a user opens anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


@app.command()
@with_session
def new(
    session: Session,
    name: UserName,
    display_name: Annotated[str | None, typer.Option(metavar="N", help="As people write it.")] = None,
    email: Annotated[str | None, typer.Option(metavar="E")] = None,
) -> None:
    """Make a user, who holds no role yet. Once deleted, the name can never be used again.

    \b
    Example:
      hourmark user new ada --display-name "Ada Lovelace" --email ada@people.example
    """
    from holder import answers

    view = session.view(answers.names(answers.User))
    view.one(asdict(session.issuer().create_user(name, display_name=display_name, email=email)))


@app.command("list")
@with_session
def list_(
    session: Session,
    prefix: Annotated[
        str | None, typer.Argument(metavar="PREFIX", help="Those alone whose names begin so.")
    ] = None,
    state: Annotated[State | None, typer.Option(help="Those alone.")] = None,
) -> None:
    """Show the users.

    \b
    Examples:
      hourmark user list
      hourmark user list --state disabled --field name
    """
    from holder import answers

    view = session.view(answers.names(answers.User))
    view.many(map(asdict, session.issuer().users(prefix=prefix, state=state)))


@app.command()
@with_session
def get(session: Session, name: UserName) -> None:
    """Show one user.

    \b
    Example:
      hourmark user get ada
    """
    from holder import answers

    view = session.view(answers.names(answers.User))
    view.one(asdict(session.issuer().user(name)))


@app.command()
@with_session
def disable(session: Session, name: UserName) -> None:
    """Refuse everything of a user, until the user is enabled.

    \b
    Example:
      hourmark user disable ada
    """
    from holder import answers

    view = session.view(answers.names(answers.User))
    view.one(asdict(session.issuer().disable_user(name)))


@app.command()
@with_session
def enable(session: Session, name: UserName) -> None:
    """Let the keys of a user work again. Tokens from before stay ended.

    \b
    Example:
      hourmark user enable ada
    """
    from holder import answers

    view = session.view(answers.names(answers.User))
    view.one(asdict(session.issuer().enable_user(name)))


@app.command()
@with_session
def delete(session: Session, name: UserName) -> None:
    """End a user, all keys and their tokens, for good.

    \b
    Example:
      hourmark user delete ada
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedUser))
    view.one(asdict(session.issuer().delete_user(name)))


@app.command()
@with_session
def sign_ins(session: Session, name: UserName) -> None:
    """Show where a user is signed in, in browsers and at clients.

    \b
    Example:
      hourmark user sign-ins ada
    """
    from holder import answers

    view = session.view(answers.names(answers.SignIn))
    view.many(map(asdict, session.issuer().sign_ins(name)))


@app.command()
@with_session
def sign_out(
    session: Session,
    name: UserName,
    # An option: where a script has no id, it must not become everywhere.
    sign_in: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="At one place alone, as `sign-ins` shows it.")
    ] = None,
) -> None:
    """Sign a user out everywhere. Role keys, and what the user lets apps have, go on.

    \b
    Examples:
      hourmark user sign-out ada
      hourmark user sign-out ada --id 7
    """
    from holder import answers

    view = session.view(answers.names(answers.SignedOut))
    view.one(asdict(session.issuer().sign_out(name, sign_in)))


@app.command()
@with_session
def invite(
    session: Session,
    name: UserName,
    expires: Annotated[
        str | None, typer.Option(metavar="D", help="How long the link is good: 24h, 30d. By default 3 days.")
    ] = None,
) -> None:
    """Make a link by which a user sets up, once, how to sign in; also when a password was lost.

    \b
    Example:
      hourmark user invite ada --expires 24h
    """
    from holder import answers

    seconds = None if expires is None else int(parse_duration(expires, "--expires").total_seconds())
    view = session.view(answers.names(answers.Invitation), shown_once="url")
    view.one(asdict(session.issuer().invite_user(name, seconds=seconds)))
