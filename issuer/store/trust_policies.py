"""Trust policies of roles: made, listed, deleted.

A policy owns a status index. Whatever ends it, or narrows its role, takes its index from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from issuer.store import rights, status_indices
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict
from issuer.store.tables import Principal, TrustPolicyRow
from keys.secret import random_text
from verifier import Scope

TRUST_PREFIX, _CHARACTERS = "trust_", 16
"""Of the ids of policies, which their tokens carry as `client_id`."""
MAX_OF_ROLE = 50
"""Each is looked at for every token that is presented for the role."""


@dataclass(frozen=True, slots=True)
class LoadedPolicies:
    """All that tokens of outside identities need to know of a role."""

    rows: list[TrustPolicyRow]
    held: Scope
    """What the role may do at this moment."""


def create(tx: Transaction, role: Principal, *, clauses: str, description: str) -> TrustPolicyRow:
    """Raises Conflict if the role has this policy, or too many; StatusListFull."""
    there = of_role(tx.session, role)
    if any(row.clauses == clauses for row in there):
        raise Conflict(f"{role.name} has a trust policy with these clauses already")
    if len(there) >= MAX_OF_ROLE:
        raise Conflict(f"{role.name} has {MAX_OF_ROLE} trust policies, and no role has more")
    policy_id = TRUST_PREFIX + random_text(_CHARACTERS)
    last = tx.session.exec(select(func.coalesce(func.max(TrustPolicyRow.number), 0))).one()
    row = TrustPolicyRow(
        id=policy_id,
        number=last + 1,
        principal_id=role.id,
        clauses=clauses,
        description=description,
        status_index=status_indices.allocate(tx, _owner(policy_id)),
        created_at=tx.now,
        created_by=tx.actor,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.changed("principal", role.name)
    tx.audit("role-trust:create", role.name, policy=policy_id, clauses=clauses)
    return row


def of_role(session: Session, role: Principal) -> list[TrustPolicyRow]:
    """In the order in which they were made."""
    return list(
        session.exec(
            select(TrustPolicyRow)
            .where(TrustPolicyRow.principal_id == role.id)
            .order_by(col(TrustPolicyRow.number))
        )
    )


def load(session: Session, principal: str) -> LoadedPolicies | None:
    """Those of the role of this name; None if there is no such role."""
    role = session.exec(
        select(Principal).where(Principal.name == principal, col(Principal.deleted_at).is_(None))
    ).first()
    return None if role is None else LoadedPolicies(of_role(session, role), rights.held(session, role))


def delete(tx: Transaction, role: Principal, policy_id: str) -> None:
    """Deletes it for good, with its tokens. Again it does nothing."""
    _delete_rows(tx, role, [row for row in of_role(tx.session, role) if row.id == policy_id])


def delete_all_of(tx: Transaction, role: Principal) -> None:
    _delete_rows(tx, role, of_role(tx.session, role))


def end_tokens_of(tx: Transaction, role: Principal) -> None:
    """Their tokens end; the policies go on with fresh indices. The caller tells of the role.

    Raises StatusListFull.
    """
    for row in of_role(tx.session, role):
        status_indices.revoke(tx, [(row.status_index, _owner(row.id))])
        row.status_index = status_indices.allocate(tx, _owner(row.id))
        tx.session.add(row)


def _delete_rows(tx: Transaction, role: Principal, rows: Iterable[TrustPolicyRow]) -> None:
    for row in rows:
        status_indices.revoke(tx, [(row.status_index, _owner(row.id))])
        tx.session.delete(row)
        tx.changed("principal", role.name)
        tx.audit("role-trust:delete", role.name, policy=row.id)


def _owner(policy_id: str) -> str:
    return f"trust:{policy_id}"
