"""What a principal may do: its own policies, and those of the roles that it holds."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, col, or_, select

from issuer.store.tables import Membership, PolicyRow, Principal
from verifier import Permission, Scope


def held(session: Session, principal: Principal, *, since: float | None = None) -> Scope:
    """At this moment; of that what it has held `since` then (Unix seconds)."""
    roles = select(Membership.role_id).where(Membership.user_id == principal.id)
    if since is not None:
        roles = roles.where(Membership.created_at <= since)
    policies = select(PolicyRow.permission).where(
        or_(PolicyRow.principal_id == principal.id, col(PolicyRow.principal_id).in_(roles))
    )
    if since is not None:
        policies = policies.where(PolicyRow.created_at <= since)
    return Scope.of(map(Permission.parse, session.exec(policies)))


def by_role(session: Session, principal: Principal, held: Scope) -> Mapping[str, Scope]:
    """Of each role that the principal is or holds, by name, its whole permissions.

    `held`: what the principal may, as the function above has it.
    """
    kind, _, itself = principal.name.partition(":")
    if kind == "role":
        return {itself: held}  # a role holds no other; the same value, for role keys are many
    permissions: dict[str, list[Permission]] = {}
    for role, permission in session.exec(
        select(Principal.name, PolicyRow.permission)
        .join(Membership, col(Membership.role_id) == Principal.id)
        .outerjoin(PolicyRow, col(PolicyRow.principal_id) == Principal.id)
        .where(Membership.user_id == principal.id)
    ):
        name = role.partition(":")[2]
        permissions.setdefault(name, []).extend([Permission.parse(permission)] if permission else [])
    return {name: Scope.of(permissions[name]) for name in sorted(permissions)}


def holders(session: Session, role: Principal) -> list[Principal]:
    """The users who hold a role: what changes for it changes for them."""
    return list(
        session.exec(
            select(Principal)
            .join(Membership, col(Membership.user_id) == Principal.id)
            .where(Membership.role_id == role.id)
            .order_by(Principal.name)
        )
    )
