"""Refresh tokens: each is good once, and gives the next. Coming again it ends its sign-in (RFC 9700 4.14)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmodel import Session, col, update

from issuer.store import user_grants
from issuer.store.database import Transaction
from issuer.store.tables import Principal, RefreshToken, UserGrant
from keys import Handle, handle_hash


@dataclass(frozen=True, slots=True)
class Rotated:
    """The sign-in of a refresh token that was good, and the token that takes its place."""

    row: UserGrant
    refresh_token: str = field(repr=False)


def add(tx: Transaction, row: UserGrant, hash_key: bytes) -> str:
    """A new one of this sign-in."""
    text = Handle.REFRESH_TOKEN.generate()
    tx.session.add(RefreshToken(hash=handle_hash(text, hash_key), grant_id=row.id, created_at=tx.now))
    tx.session.flush()
    return text


def find(session: Session, text: str, hash_key: bytes) -> UserGrant | None:
    """The sign-in that it is of, used or not."""
    if not Handle.REFRESH_TOKEN.is_whole(text):
        return None
    token = session.get(RefreshToken, handle_hash(text, hash_key))
    return None if token is None else session.get(UserGrant, token.grant_id)


def find_unused(session: Session, text: str, hash_key: bytes) -> UserGrant | None:
    """The sign-in that it is of, if it is still good."""
    token = session.get(RefreshToken, handle_hash(text, hash_key))
    return None if token is None or token.used_at is not None else session.get(UserGrant, token.grant_id)


def rotate(tx: Transaction, text: str, client_id: str, hash_key: bytes) -> Rotated | None:
    """Uses it up. None if it is no good for this client; if it was used before, its sign-in ends now."""
    row = find(tx.session, text, hash_key)
    if row is None or row.client_id != client_id or (row.expires_at or tx.now + 1) <= tx.now:
        return None
    used = tx.session.exec(
        update(RefreshToken)
        .where(col(RefreshToken.hash) == handle_hash(text, hash_key), col(RefreshToken.used_at).is_(None))
        .values(used_at=tx.now)
    ).rowcount
    if not used:
        user_grants.end(tx, [row])
        tx.audit("sign-in:reuse", tx.session.get_one(Principal, row.user_id).name, client_id=client_id)
        return None
    row.last_used_at = tx.now
    tx.session.add(row)
    return Rotated(row, add(tx, row, hash_key))
