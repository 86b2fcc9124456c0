"""Roles, users and their policies."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, false
from sqlmodel import Session, col, delete, func, or_, select

from issuer.store import rights, role_keys
from issuer.store.database import Transaction
from issuer.store.tables import Membership, PolicyRow, Principal
from verifier import Permission
from verifier.scope import MAX_PARTS

ROLE_PREFIX = "role:"
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_ROLE_NAME = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT}){{2,}}", re.ASCII)
_USER_NAME = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT})*", re.ASCII)
_MAX_NAME = 200


class InvalidName(ValueError):
    """A name that no principal can have; the message shows the form."""


class Conflict(Exception):
    """What is to be made is there already, or was."""


class NotFound(Exception):
    """What is asked for does not exist, or not any more."""


def check_role_name(name: str) -> str:
    """Raises InvalidName."""
    if len(name) > _MAX_NAME or _ROLE_NAME.fullmatch(name) is None:
        raise InvalidName(
            f"{name[:_MAX_NAME]!r} is not a role name: write ORG.ACCOUNT.NAME, "
            "of letters, digits, '-' and '_' with dots between, for example org.account.ci"
        )
    return name


def check_user_name(name: str) -> str:
    """Raises InvalidName."""
    if len(name) > _MAX_NAME or _USER_NAME.fullmatch(name) is None:
        raise InvalidName(
            f"{name[:_MAX_NAME]!r} is not a user name: use letters, digits, '-' and '_', with dots between"
        )
    return name


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
                begins_with(ROLE_PREFIX + prefix),
                named_within(ROLE_PREFIX, within),
                col(Principal.deleted_at).is_(None),
                Principal.name > after,
            )
            .order_by(Principal.name)
            .limit(limit)
        )
    )


def begins_with(text: str) -> ColumnElement[bool]:
    """Whether the principal's name, with its kind, does."""
    # LIKE would take "_" for any letter, and on SQLite "a" for "A".
    return func.substr(Principal.name, 1, len(text)) == text


def named_within(kind: str, permissions: Iterable[Permission]) -> ColumnElement[bool]:
    """Whether one of the permissions names the principal, of that kind."""
    names = {(kind + each.name, each.is_prefix) for each in permissions}
    return or_(
        false(),
        col(Principal.name).in_([name for name, is_prefix in names if not is_prefix]),
        *(begins_with(name) for name, is_prefix in names if is_prefix),
    )


def delete_principal(tx: Transaction, name: str) -> tuple[list[str], list[str]]:
    """Deletes it for good, with policies and role keys; returns the access ids and those of what they made.

    Raises NotFound.
    """
    principal = get(tx.session, name)
    accesses, made = role_keys.delete_all_of(tx, principal)
    for user in rights.holders(tx.session, principal):
        role_keys.end_tokens_of(tx, user)
        changed(tx, user)
    tx.session.execute(delete(PolicyRow).where(col(PolicyRow.principal_id) == principal.id))
    tx.session.execute(
        delete(Membership).where(
            or_(col(Membership.role_id) == principal.id, col(Membership.user_id) == principal.id)
        )
    )
    principal.deleted_at = tx.now
    changed(tx, principal)
    tx.audit("principal:delete", name, role_keys=accesses, made=made)
    return accesses, made


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
        role_keys.end_tokens_of(tx, each)
