"""The secrets of role keys: each a keyed hash, with its index in the status list.

Whatever ends a secret, or narrows what it opens, takes its index from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from issuer.store import status_indices, visits
from issuer.store.database import Transaction
from issuer.store.tables import RoleKeyRow, Secret
from keys import RoleKey


@dataclass(frozen=True, slots=True)
class HashKeyInForce:
    """The HMAC key that new secrets are hashed with."""

    version: int
    key: bytes = field(repr=False)


def of(session: Session, accesses: Iterable[str]) -> list[Secret]:
    """Those of these role keys, the oldest first."""
    return list(
        session.exec(select(Secret).where(col(Secret.access).in_(list(accesses))).order_by(col(Secret.id)))
    )


def add(tx: Transaction, row: RoleKeyRow, presented: RoleKey, hash_key: HashKeyInForce) -> None:
    secret = Secret(
        access=row.access,
        hash=presented.hash(hash_key.key),
        hash_key_version=hash_key.version,
        status_index=-1,
        created_at=tx.now,
    )
    tx.session.add(secret)
    tx.session.flush()
    secret.status_index = _allocate(tx, secret, row.expires_at)
    tx.session.add(secret)


def forget_ended(tx: Transaction, secrets: list[Secret]) -> list[Secret]:
    """Deletes those whose grace is over, and returns the others. Their indices have their ends planned."""
    ended = [secret for secret in secrets if secret.ends_at is not None and secret.ends_at <= tx.now]
    _delete(tx, ended)
    return [secret for secret in secrets if secret.ends_at is None or secret.ends_at > tx.now]


def end_at(tx: Transaction, secrets: list[Secret], ends_at: int) -> None:
    """Those in force end then, with their tokens; those that have a grace keep it."""
    for secret in secrets:
        if secret.ends_at is None:
            secret.ends_at = ends_at
            tx.session.add(secret)
            status_indices.revoke_from(tx, secret.status_index, _owner(secret), ends_at)
            visits.end_at(tx, visits.of_secrets(tx.session, [secret.id]), ends_at)


def drop(tx: Transaction, secrets: list[Secret]) -> None:
    """They end now, with their tokens."""
    status_indices.revoke(tx, [(secret.status_index, _owner(secret)) for secret in secrets])
    _delete(tx, secrets)


def end_tokens(tx: Transaction, secrets: list[Secret]) -> None:
    """Their tokens end now; they go on with fresh indices, and so do the visits that they opened."""
    status_indices.revoke(tx, [(secret.status_index, _owner(secret)) for secret in secrets])
    visits.end_tokens(tx, visits.of_secrets(tx.session, [secret.id for secret in secrets]))
    for secret in secrets:
        ends_at = secret.ends_at or tx.session.get_one(RoleKeyRow, secret.access).expires_at
        if ends_at is None or ends_at > tx.now:
            secret.status_index = _allocate(tx, secret, ends_at)
            tx.session.add(secret)


def _delete(tx: Transaction, secrets: list[Secret]) -> None:
    visits.end(tx, visits.of_secrets(tx.session, [secret.id for secret in secrets]))
    for secret in secrets:
        tx.session.delete(secret)
    tx.session.flush()


def _allocate(tx: Transaction, secret: Secret, ends_at: int | None) -> int:
    index = status_indices.allocate(tx, _owner(secret))
    if ends_at is not None:
        status_indices.expire(tx, index, _owner(secret), ends_at)
    return index


def _owner(secret: Secret) -> str:
    return f"secret:{secret.id}"
