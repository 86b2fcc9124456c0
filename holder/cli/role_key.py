"""The long-lived keys of a role."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli.moments import parse_duration, parse_moment
from holder.cli.options import noun, with_session
from holder.cli.output import View
from holder.cli.session import Session, say
from holder.errors import UsageError

if TYPE_CHECKING:
    from holder.answers import NewRoleKey

app = noun("The keys of a role: access:secret, for machines.")
Role = Annotated[str, typer.Argument(metavar="ROLE")]
Access = Annotated[str, typer.Argument(metavar="ACCESS", help="The key's public half, hmk_…")]


class State(StrEnum):
    """Whether a key still works."""

    ACTIVE = "active"
    EXPIRED = "expired"


@app.command()
@with_session
def new(
    session: Session,
    role: Role,
    name: Annotated[str | None, typer.Option(metavar="N", help="What the key is for.")] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="S", help="Narrower than the role: permissions, space between them.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="90d, 2027-01-01 or 2027-01-01T12:00:00Z.")
    ] = None,
) -> None:
    """Make a key. Its secret is shown this once.

    \b
    Examples:
      hourmark role key new org.account.name --name nightly --expires 90d
      hourmark role key new org.account.name --format-template "{{.Access}}:{{.Secret}}"
    """
    from holder import answers

    view = session.view(answers.names(answers.NewRoleKey), shown_once="secret")
    ends = None if expires is None else parse_moment(expires, "--expires", datetime.now(UTC))
    if scope is not None:
        _check_scope(scope)
    _show_once(view, session.issuer().create_role_key(role, name=name, scope=scope, expires_at=ends))


@app.command("list")
@with_session
def list_(
    session: Session,
    role: Role,
    state: Annotated[State | None, typer.Option(help="Those alone that work, or that have ended.")] = None,
) -> None:
    """Show the keys of a role, without their secrets.

    \b
    Examples:
      hourmark role key list org.account.name
      hourmark role key list org.account.name --state active --field access
    """
    from holder import answers

    view = session.view(answers.names(answers.ListedRoleKey))
    view.many(map(asdict, session.issuer().role_keys(role, state=state)))


@app.command()
@with_session
def renew(
    session: Session,
    role: Role,
    access: Access,
    grace: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="How long the old secret works on: 24h. Without: not at all."),
    ] = None,
) -> None:
    """Give a key a new secret, which is shown this once.

    \b
    Example:
      hourmark role key renew org.account.name ACCESS --grace 24h
    """
    from holder import answers

    view = session.view(answers.names(answers.NewRoleKey), shown_once="secret")
    seconds = None if grace is None else int(parse_duration(grace, "--grace").total_seconds())
    _show_once(view, session.issuer().renew_role_key(role, access, grace_seconds=seconds))
    say("The old secret ended." if not seconds else f"The old secret works for another {grace}.")


@app.command()
@with_session
def delete(session: Session, role: Role, access: Access) -> None:
    """End a key and its tokens.

    \b
    Example:
      hourmark role key delete org.account.name ACCESS
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedRoleKey))
    gone = session.issuer().delete_role_key(role, access)
    view.one(asdict(gone))
    if gone.made:
        say("It had made these credentials, which live on. Delete those that nobody should have.")


def _show_once(view: View, key: NewRoleKey) -> None:
    view.one(asdict(key))
    say("The secret is shown this once: keep it now.")


def _check_scope(scope: str) -> None:
    from verifier import InvalidPermission, Scope

    try:
        Scope.parse(scope)
    except InvalidPermission as error:
        raise UsageError("--scope is no scope", str(error)) from None
