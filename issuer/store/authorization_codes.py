"""Authorization codes: each is good once, for a minute, at the client that it was given to."""

from __future__ import annotations

from sqlmodel import col, delete, update

from issuer.store import user_grants
from issuer.store.database import Transaction
from issuer.store.tables import AuthorizationCode, Principal, UserGrant
from keys import Handle, handle_hash

LIFETIME = 60
"""Seconds (RFC 6749 section 4.1.2 allows ten minutes)."""
_KEPT_SECONDS = 86400
"""How long a code that comes again still ends what it became."""


def add(tx: Transaction, code: AuthorizationCode, hash_key: bytes) -> str:
    """Keeps a new code, of which everything else is filled in; returns its text."""
    text = Handle.AUTHORIZATION_CODE.generate()
    code.hash, code.expires_at = handle_hash(text, hash_key), tx.now + LIFETIME
    tx.session.add(code)
    tx.session.flush()
    return text


def redeem(tx: Transaction, text: str, client_id: str, hash_key: bytes) -> AuthorizationCode | None:
    """Uses it up, whoever presents it. None if it is no good, or none for this client.

    One that was used before ends the sign-in that it became (RFC 6749 section 4.1.2).
    """
    if not Handle.AUTHORIZATION_CODE.is_whole(text):
        return None
    hash_ = handle_hash(text, hash_key)
    used = tx.session.exec(
        update(AuthorizationCode)
        .where(col(AuthorizationCode.hash) == hash_, col(AuthorizationCode.used_at).is_(None))
        .values(used_at=tx.now)
    ).rowcount
    code = tx.session.get(AuthorizationCode, hash_)
    if code is None:
        return None
    if not used:
        _end_sign_in(tx, code)
        return None
    session = tx.session.get(UserGrant, code.session_id)
    is_signed_in = session is not None and (session.expires_at or tx.now + 1) > tx.now
    is_good = code.client_id == client_id and code.expires_at > tx.now and is_signed_in
    return code if is_good else None


def became(tx: Transaction, code: AuthorizationCode, row: UserGrant) -> None:
    """Remembers the sign-in, for when the code comes again."""
    code.grant_id = row.id
    tx.session.add(code)


def forget_old(tx: Transaction) -> None:
    tx.session.execute(
        delete(AuthorizationCode).where(col(AuthorizationCode.expires_at) <= tx.now - _KEPT_SECONDS)
    )


def _end_sign_in(tx: Transaction, code: AuthorizationCode) -> None:
    row = None if code.grant_id is None else tx.session.get(UserGrant, code.grant_id)
    if row is not None:
        user_grants.end(tx, [row])
        user = tx.session.get_one(Principal, code.user_id)
        tx.audit("sign-in:reuse", user.name, client_id=code.client_id)
