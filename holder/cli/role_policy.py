"""The permissions of a role."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli import verdict
from holder.cli.options import noun, with_session
from holder.cli.session import Session
from holder.errors import HolderError

if TYPE_CHECKING:
    from holder.client import Issuer

app = noun('The policies of a role: one permission each, "data:get@my-set".')
Role = Annotated[str, typer.Argument(metavar="ROLE")]


@app.command()
@with_session
def new(
    session: Session,
    role: Role,
    permission: Annotated[str, typer.Argument(metavar="PERMISSION", help="action@resource, in quotes.")],
) -> None:
    """Give a role a permission.

    \b
    Examples:
      hourmark role policy new org.account.name "data:get@my-set"
      hourmark role policy new org.account.name "app:query@*[group=A]"
    """
    from holder import answers

    view = session.view(answers.names(answers.Policy))
    view.one(asdict(session.issuer().create_policy(role, _spelt(permission))))


@app.command("list")
@with_session
def list_(session: Session, role: Role) -> None:
    """Show the permissions of a role.

    \b
    Example:
      hourmark role policy list org.account.name --field permission
    """
    from holder import answers

    view = session.view(answers.names(answers.Policy))
    view.many(map(asdict, session.issuer().policies(role)))


@app.command()
@with_session
def delete(
    session: Session,
    role: Role,
    policy: Annotated[
        str, typer.Argument(metavar="PERMISSION|ID", help="The permission as it was given, or its id.")
    ],
) -> None:
    """Take a permission from a role, and from all its tokens.

    \b
    Example:
      hourmark role policy delete org.account.name "data:get@my-set"
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedPolicy))
    issuer = session.issuer()
    policy_id = (
        int(policy) if policy.isascii() and policy.isdecimal() else _find(issuer, role, _spelt(policy))
    )
    view.one(asdict(issuer.delete_policy(role, policy_id)))


@app.command()
@with_session
def test(
    session: Session,
    role: Role,
    permission: Annotated[
        str, typer.Argument(metavar="PERMISSION", help="One request: action@resource[label=value].")
    ],
) -> None:
    """Say whether a role may make a request, and why (exit code 0 or 5).

    \b
    Example:
      hourmark role policy test org.account.name "app:query@my-app[group=A]"
    """
    from holder.decision import decide, parse_permission, parse_request

    view = session.view(verdict.FIELDS)
    request = parse_request(permission)
    policies = session.issuer().policies(role)
    verdict.show(decide(request, [parse_permission(each.permission) for each in policies]), view)


def _find(issuer: Issuer, role: str, permission: str) -> int:
    """The id of that permission. A missing one is more likely a typing error than a job already done."""
    for each in issuer.policies(role):
        if each.permission == permission:
            return each.id
    raise HolderError(
        f"{role} has no policy {permission}",
        "none of its policies is spelt so; one that includes it may be there",
        f"hourmark role policy list {role}",
        code="no_such_policy",
    )


def _spelt(text: str) -> str:
    """A permission's one spelling. Raises UsageError."""
    from holder.decision import parse_permission

    return str(parse_permission(text))
