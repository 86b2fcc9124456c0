"""Assertions of clients: each is taken once (RFC 7523 section 3)."""

from __future__ import annotations

from sqlmodel import col, delete

from issuer.store.database import Transaction
from issuer.store.tables import ClientAssertion


def take(tx: Transaction, client_id: str, token_id: str, expires_at: int) -> bool:
    """False if it came before. One writer at a time looks and writes."""
    if tx.session.get(ClientAssertion, (client_id, token_id)) is not None:
        return False
    tx.session.add(ClientAssertion(client_id=client_id, token_id=token_id, expires_at=expires_at))
    tx.session.flush()
    return True


def forget_expired(tx: Transaction) -> None:
    tx.session.execute(delete(ClientAssertion).where(col(ClientAssertion.expires_at) <= tx.now))
