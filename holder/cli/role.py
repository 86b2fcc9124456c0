"""Roles, with their keys, policies and trust policies as nouns of their own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from holder.cli import role_key, role_policy, role_trust
from holder.cli.options import noun, with_session
from holder.cli.session import Session

app = noun("Roles: who may do what, and with which keys.")
app.add_typer(role_key.app, name="key")
app.add_typer(role_policy.app, name="policy")
app.add_typer(role_trust.app, name="trust")
RoleName = Annotated[str, typer.Argument(metavar="NAME", help="org.account.name")]


@app.command()
@with_session
def new(session: Session, name: RoleName) -> None:
    """Make a role. Once deleted, its name can never be used again.

    \b
    Example:
      hourmark role new org.account.name
    """
    from holder import answers

    view = session.view(answers.names(answers.Role))
    view.one(asdict(session.issuer().create_role(name)))


@app.command("list")
@with_session
def list_(
    session: Session,
    prefix: Annotated[
        str | None, typer.Argument(metavar="PREFIX", help="Those alone whose names begin so.")
    ] = None,
) -> None:
    """Show the roles.

    \b
    Examples:
      hourmark role list
      hourmark role list org.account. --field name
    """
    from holder import answers

    view = session.view(answers.names(answers.Role))
    view.many(map(asdict, session.issuer().roles(prefix=prefix)))


@app.command()
@with_session
def get(session: Session, name: RoleName) -> None:
    """Show one role.

    \b
    Example:
      hourmark role get org.account.name
    """
    from holder import answers

    view = session.view(answers.names(answers.Role))
    view.one(asdict(session.issuer().role(name)))


@app.command()
@with_session
def delete(session: Session, name: RoleName) -> None:
    """End a role, its keys and their tokens, for good.

    \b
    Example:
      hourmark role delete org.account.name
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedRole))
    view.one(asdict(session.issuer().delete_role(name)))
