"""Assertions of clients: each is taken once (RFC 7523 section 3)."""

from __future__ import annotations

from sqlmodel import Session, col, delete, select

from issuer.store.database import Transaction
from issuer.store.tables import ClientAssertion


def take(tx: Transaction, client_id: str, token_id: str, expires_at: int) -> bool:
    """False if it came before. One writer at a time looks and writes."""
    if tx.session.get(ClientAssertion, (client_id, token_id)) is not None:
        return False
    tx.session.add(ClientAssertion(client_id=client_id, token_id=token_id, expires_at=expires_at))
    tx.session.flush()
    return True


def has_expired(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    expired = select(ClientAssertion.client_id).where(col(ClientAssertion.expires_at) <= now)
    return session.exec(expired.limit(1)).first() is not None


def forget_expired(tx: Transaction) -> None:
    tx.session.execute(delete(ClientAssertion).where(col(ClientAssertion.expires_at) <= tx.now))
