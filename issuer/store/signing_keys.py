"""Signing keys and hash keys at rest."""

from __future__ import annotations

from sqlmodel import Session, col, func, select, update

from issuer.store.database import Transaction
from issuer.store.secrets import HashKeyInForce
from issuer.store.tables import AppRow, HashKey, SealedSigningKey
from keys import KeyEncryptionKey, RingKey, SigningKey

TOKENS = "tokens"
"""The ring whose current key signs tokens and status lists."""
REGISTRY, REGISTRY_CA = "registry", "registry-ca"
"""The rings whose public keys are in registries' files: of keys that sign their tokens, and that certify what
does. Any further ring has the name of its algorithm, which an app asked for.
"""
OF_REGISTRIES = frozenset({REGISTRY, REGISTRY_CA})


class UnknownSigningKey(Exception):
    """No signing key has this `kid`; the message says where to find those that there are."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"no signing key has the kid {kid}: `hourmarkd keys list` shows them")


def add(
    tx: Transaction, key: SigningKey, kek: KeyEncryptionKey, *, signs_from: int, ring: str = TOKENS
) -> None:
    """Keeps a new signing key. It is public from now on."""
    last = tx.session.exec(select(func.max(SealedSigningKey.number))).one() or 0
    tx.session.add(
        SealedSigningKey(
            kid=key.kid,
            number=last + 1,
            ring=ring,
            algorithm=key.algorithm.name,
            sealed=kek.seal(key.to_der(), _signing_purpose(key.kid)),
            published_at=tx.now,
            signs_from=signs_from,
        )
    )
    tx.changed("signing_key", key.kid)
    tx.audit("signing-key:create", key.kid, ring=ring, algorithm=key.algorithm.name, signs_from=signs_from)


def hasten(tx: Transaction, kid: str, *, signs_from: int) -> None:
    """Has a key sign from another time on than it was made for."""
    _update(tx, kid, signs_from=signs_from)
    tx.audit("signing-key:rotate", kid, signs_from=signs_from)


def revoke(tx: Transaction, kid: str) -> None:
    """Ends a key at once, for good. Raises UnknownSigningKey."""
    _update(tx, kid, revoked_at=tx.now)
    tx.audit("signing-key:revoke", kid)


def is_revoked(session: Session, kid: str) -> bool:
    return (
        session.exec(select(SealedSigningKey.revoked_at).where(SealedSigningKey.kid == kid)).one() is not None
    )


def rings(session: Session, algorithm: str, *, with_registries: bool = False) -> dict[str, list[RingKey]]:
    """Every ring that there is or must be, where tokens are signed by `algorithm`. A new one is empty.

    An app may have its ID tokens signed by another algorithm (OpenID Connect Registration section 2).
    """
    asked = session.exec(select(AppRow.id_token_algorithm).distinct())
    found: dict[str, list[RingKey]] = {TOKENS: []}
    if with_registries:
        found |= {name: [] for name in sorted(OF_REGISTRIES)}
    found |= {other: [] for other in asked if other not in (None, algorithm)}
    for row in session.exec(select(SealedSigningKey).order_by(col(SealedSigningKey.number))):
        key = RingKey(row.kid, row.published_at, row.signs_from, row.revoked_at, row.number)
        found.setdefault(row.ring, []).append(key)
    return found


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


def _update(tx: Transaction, kid: str, **values: int) -> None:
    found = tx.session.exec(
        update(SealedSigningKey).where(col(SealedSigningKey.kid) == kid).values(**values)
    ).rowcount
    if not found:
        raise UnknownSigningKey(kid)
    tx.changed("signing_key", kid)


def _signing_purpose(kid: str) -> str:
    return f"signing key {kid}"


def _hash_purpose(version: int) -> str:
    return f"hash key {version}"
