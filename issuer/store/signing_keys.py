"""Signing keys and hash keys at rest."""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from issuer.store.database import Transaction
from issuer.store.role_keys import HashKeyInForce
from issuer.store.tables import HashKey, SealedSigningKey
from keys import KeyEncryptionKey, RingKey, SigningKey


def add(tx: Transaction, key: SigningKey, kek: KeyEncryptionKey, *, signs_from: int) -> None:
    """Keeps a new signing key. It is public from now on."""
    last = tx.session.exec(select(func.max(SealedSigningKey.number))).one() or 0
    tx.session.add(
        SealedSigningKey(
            kid=key.kid,
            number=last + 1,
            algorithm=key.algorithm.name,
            sealed=kek.seal(key.to_der(), _signing_purpose(key.kid)),
            published_at=tx.now,
            signs_from=signs_from,
        )
    )
    tx.changed("signing_key", key.kid)
    tx.audit("signing-key:create", key.kid, algorithm=key.algorithm.name, signs_from=signs_from)


def ring(session: Session) -> list[RingKey]:
    rows = session.exec(select(SealedSigningKey).order_by(col(SealedSigningKey.number)))
    return [RingKey(row.kid, row.published_at, row.signs_from, row.revoked_at) for row in rows]


def open_keys(session: Session, kek: KeyEncryptionKey) -> dict[str, SigningKey]:
    """All signing keys, by `kid`. Raises keys.SealBroken."""
    return {
        row.kid: SigningKey.from_der(row.algorithm, kek.open(row.sealed, _signing_purpose(row.kid)))
        for row in session.exec(select(SealedSigningKey))
    }


def add_hash_key(tx: Transaction, key: bytes, kek: KeyEncryptionKey) -> HashKeyInForce:
    version = (tx.session.exec(select(func.max(HashKey.version))).one() or 0) + 1
    tx.session.add(HashKey(version=version, sealed=kek.seal(key, _hash_purpose(version)), created_at=tx.now))
    tx.session.flush()
    return HashKeyInForce(version, key)


def open_hash_keys(session: Session, kek: KeyEncryptionKey) -> dict[int, bytes]:
    """All hash keys, by version. Raises keys.SealBroken."""
    rows = session.exec(select(HashKey))
    return {row.version: kek.open(row.sealed, _hash_purpose(row.version)) for row in rows}


def _signing_purpose(kid: str) -> str:
    return f"signing key {kid}"


def _hash_purpose(version: int) -> str:
    return f"hash key {version}"
