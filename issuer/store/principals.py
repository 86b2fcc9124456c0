"""Roles, users and their policies."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, delete, func, or_, select

from issuer.store import credentials, names, rights
from issuer.store.credentials import Deleted
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import Membership, PolicyRow, Principal
from verifier import Permission
from verifier.scope import MAX_PARTS

ROLE_PREFIX = "role:"


def create(tx: Transaction, name: str) -> Principal:
    """Raises Conflict if there is, or ever was, a principal of this name."""
    known = tx.session.exec(select(Principal).where(Principal.name == name)).first()
    if known is not None:
        gone = (
            " was deleted, and a name is never used again"
            if known.deleted_at is not None
            else " exists already"
        )
        raise Conflict(f"{name}{gone}")
    principal = Principal(name=name, created_at=tx.now, created_by=tx.actor)
    tx.session.add(principal)
    tx.session.flush()
    tx.audit("principal:create", name)
    return principal


def find(session: Session, name: str) -> Principal | None:
    return session.exec(
        select(Principal).where(Principal.name == name, col(Principal.deleted_at).is_(None))
    ).first()


def get(session: Session, name: str) -> Principal:
    """Raises NotFound."""
    principal = find(session, name)
    if principal is None:
        raise NotFound(f"there is no {name}")
    return principal


def list_roles(
    session: Session, *, after: str, limit: int, within: Iterable[Permission], prefix: str = ""
) -> list[Principal]:
    """Roles whose names begin with `prefix`, in the order of their names, from behind `after` on.

    within: permissions of which one must name the role.
    """
    return list(
        session.exec(
            select(Principal)
            .where(
                names.begins_with(Principal.name, ROLE_PREFIX + prefix),
                names.named_within(Principal.name, ROLE_PREFIX, within),
                col(Principal.deleted_at).is_(None),
                Principal.name > after,
            )
            .order_by(Principal.name)
            .limit(limit)
        )
    )


def delete_principal(tx: Transaction, name: str) -> Deleted:
    """Deletes it for good, with policies, role keys and apps. Raises NotFound."""
    principal = get(tx.session, name)
    deleted = credentials.delete_all_of(tx, principal)
    for user in rights.holders(tx.session, principal):
        credentials.end_tokens_of(tx, user)
        changed(tx, user)
    tx.session.execute(delete(PolicyRow).where(col(PolicyRow.principal_id) == principal.id))
    tx.session.execute(
        delete(Membership).where(
            or_(col(Membership.role_id) == principal.id, col(Membership.user_id) == principal.id)
        )
    )
    principal.deleted_at = tx.now
    changed(tx, principal)
    tx.audit("principal:delete", name, role_keys=deleted.keys, made=deleted.made)
    return deleted


def add_policy(tx: Transaction, name: str, permission: Permission) -> PolicyRow:
    """Raises NotFound, or Conflict if the principal has this policy."""
    principal = get(tx.session, name)
    text = str(permission)
    known = select(PolicyRow).where(PolicyRow.principal_id == principal.id, PolicyRow.permission == text)
    if tx.session.exec(known).first() is not None:
        raise Conflict(f"{name} has the policy {text} already")
    count = select(func.count()).where(PolicyRow.principal_id == principal.id)
    if tx.session.exec(count).one() >= MAX_PARTS:
        raise Conflict(f"{name} has {MAX_PARTS} policies: a token could not carry more")
    policy = PolicyRow(principal_id=principal.id, permission=text, created_at=tx.now, created_by=tx.actor)
    tx.session.add(policy)
    tx.session.flush()
    changed(tx, principal)
    tx.audit("role-policy:create", name, permission=text)
    return policy


def list_policies(session: Session, name: str, *, after: int, limit: int) -> list[PolicyRow]:
    """Raises NotFound."""
    principal = get(session, name)
    return list(
        session.exec(
            select(PolicyRow)
            .where(PolicyRow.principal_id == principal.id, col(PolicyRow.id) > after)
            .order_by(col(PolicyRow.id))
            .limit(limit)
        )
    )


def policies_of(session: Session, principal: Principal) -> list[PolicyRow]:
    """All that are its own; those of roles that it holds are theirs."""
    own = select(PolicyRow).where(PolicyRow.principal_id == principal.id)
    return list(session.exec(own.order_by(col(PolicyRow.id))))


def find_policy(session: Session, principal: Principal, policy_id: int) -> PolicyRow | None:
    """The policy, if it is this principal's."""
    policy = session.get(PolicyRow, policy_id)
    return policy if policy is not None and policy.principal_id == principal.id else None


def delete_policy(tx: Transaction, name: str, policy_id: int) -> str:
    """Deletes it, and ends every token that was issued under it; returns its permission. Raises NotFound."""
    principal = get(tx.session, name)
    policy = find_policy(tx.session, principal, policy_id)
    if policy is None:
        raise NotFound(f"{name} has no policy {policy_id}")
    permission = policy.permission
    tx.session.delete(policy)
    _end_tokens(tx, principal)
    changed(tx, principal)
    tx.audit("role-policy:delete", name, permission=permission)
    return permission


def changed(tx: Transaction, principal: Principal) -> None:
    """Its next version. All processes look again at it, and at those whose rights follow from it."""
    principal.version += 1
    tx.session.add(principal)
    for each in (principal, *rights.holders(tx.session, principal)):
        tx.changed("principal", each.name)


def _end_tokens(tx: Transaction, principal: Principal) -> None:
    """Of its own credentials, and of those who hold it."""
    for each in (principal, *rights.holders(tx.session, principal)):
        credentials.end_tokens_of(tx, each)
