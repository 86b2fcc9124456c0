"""The permissions of a role."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli import verdict
from holder.cli.options import noun, with_session
from holder.cli.session import Session, say

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
    """Take a permission from a role, and from all its tokens. Again it does nothing.

    \b
    Example:
      hourmark role policy delete org.account.name "data:get@my-set"
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedPolicy))
    issuer = session.issuer()
    if policy.isascii() and policy.isdecimal():
        view.one(asdict(issuer.delete_policy(role, int(policy))))
        return
    permission = _spelt(policy)
    policy_id = _find(issuer, role, permission)
    if policy_id is None:  # more likely done already than mistyped, but who knows
        say(f"{role} has no policy {permission}: there is nothing to delete.")
    else:
        issuer.delete_policy(role, policy_id)
    view.one({"deleted": permission})


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
    from holder.decision import parse_permission, parse_request
    from verifier.decision import decide

    view = session.view(verdict.FIELDS)
    request = parse_request(permission)
    policies = session.issuer().policies(role)
    verdict.show(decide(request, [parse_permission(each.permission) for each in policies]), view)


def _find(issuer: Issuer, role: str, permission: str) -> int | None:
    """The id of the policy that is spelt so; None if there is none."""
    return next((each.id for each in issuer.policies(role) if each.permission == permission), None)


def _spelt(text: str) -> str:
    """A permission's one spelling. Raises UsageError."""
    from holder.decision import parse_permission

    return str(parse_permission(text))
