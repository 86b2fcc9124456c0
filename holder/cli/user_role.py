"""The roles that a user holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from holder.cli.options import noun, with_session
from holder.cli.session import Session

app = noun("The roles that a user holds.")
User = Annotated[str, typer.Argument(metavar="USER")]
Role = Annotated[str, typer.Argument(metavar="ROLE", help="org.account.name")]


@app.command()
@with_session
def new(session: Session, user: User, role: Role) -> None:
    """Give a user a role: what it may, the user may from now on.

    \b
    Example:
      hourmark user role new ada org.account.name
    """
    from holder import answers

    view = session.view(answers.names(answers.Membership))
    view.one(asdict(session.issuer().give_role(user, role)))


@app.command("list")
@with_session
def list_(session: Session, user: User) -> None:
    """Show the roles of a user.

    \b
    Example:
      hourmark user role list ada
    """
    from holder import answers

    view = session.view(answers.names(answers.Membership))
    view.many(map(asdict, session.issuer().roles_of(user)))


@app.command()
@with_session
def delete(session: Session, user: User, role: Role) -> None:
    """Take a role from a user, and from all tokens of the user.

    \b
    Example:
      hourmark user role delete ada org.account.name
    """
    from holder import answers

    view = session.view(answers.names(answers.TakenRole))
    view.one(asdict(session.issuer().take_role(user, role)))
