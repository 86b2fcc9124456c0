"""Users' passkeys: public keys of their authenticators (WebAuthn)."""

from __future__ import annotations

from sqlmodel import Session, col, select, update

from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import PasskeyRow, Principal

MAX_PASSKEYS = 20
"""Of one user."""


def add(
    tx: Transaction, user: Principal, *, credential_id: bytes, public_key: bytes, sign_count: int, name: str
) -> PasskeyRow:
    """Raises Conflict if it is known already, or the user has too many."""
    if tx.session.get(PasskeyRow, credential_id) is not None:
        raise Conflict("this passkey is known already")
    if len(of_user(tx.session, user.id)) >= MAX_PASSKEYS:
        raise Conflict(f"there are {MAX_PASSKEYS} passkeys already: remove one that nobody uses")
    row = PasskeyRow(
        credential_id=credential_id,
        user_id=user.id,
        public_key=public_key,
        sign_count=sign_count,
        name=name,
        created_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.audit("user:add-passkey", user.name, name=name)
    return row


def of_user(session: Session, user_id: int) -> list[PasskeyRow]:
    """The oldest first."""
    found = select(PasskeyRow).where(PasskeyRow.user_id == user_id)
    return list(session.exec(found.order_by(col(PasskeyRow.created_at), col(PasskeyRow.credential_id))))


def find(session: Session, credential_id: bytes) -> PasskeyRow | None:
    return session.get(PasskeyRow, credential_id)


def note_use(tx: Transaction, row: PasskeyRow, sign_count: int) -> bool:
    """Keeps the authenticator's count of uses; False if another request was faster with the same one."""
    done = tx.session.exec(
        update(PasskeyRow)
        .where(
            col(PasskeyRow.credential_id) == row.credential_id,
            col(PasskeyRow.sign_count) == row.sign_count,
        )
        .values(sign_count=sign_count, last_used_at=tx.now)
    )
    return bool(done.rowcount)


def remove(tx: Transaction, user: Principal, credential_id: bytes) -> None:
    """Raises NotFound, also for another user's."""
    row = tx.session.get(PasskeyRow, credential_id)
    if row is None or row.user_id != user.id:
        raise NotFound("there is no such passkey")
    tx.session.delete(row)
    tx.session.flush()
    tx.audit("user:remove-passkey", user.name, name=row.name)
