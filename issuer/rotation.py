"""Changes of the ring of signing keys, each in one transaction: completed, handed over early, a key revoked.

Whatever is done, the ring has a current key and a next one afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from issuer.settings import Settings
from issuer.store import signing_keys, status_indices
from issuer.store.database import Transaction
from issuer.store.status_indices import MARGIN, MAX_TOKEN_SECONDS
from keys import KeyEncryptionKey, Phase, Policy, RingKey, SigningKey, ring

JWKS_MAX_AGE = 300
"""Seconds for which anyone may cache the JWKS."""


@dataclass(frozen=True, slots=True)
class Handover:
    """The key that signs next, and from when on. Unix seconds."""

    kid: str
    signs_from: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """What became of the ring when a key was revoked."""

    revoked_at: int
    current: str
    next: str
    was_revoked_before: bool
    """Then nothing was changed but for keys that were missing."""


def policy_of(settings: Settings) -> Policy:
    """How long a key is public, signs, and is public still."""
    return Policy(
        # Twice what anyone may cache, so that a fetch that just failed is made up for.
        publish_for=2 * JWKS_MAX_AGE + MARGIN,
        sign_for=settings.signing_key_lifetime,
        retire_for=max(MAX_TOKEN_SECONDS, settings.status_exp) + JWKS_MAX_AGE + MARGIN,
    )


class Rotation:
    """The rules by which this issuer's ring is changed."""

    def __init__(self, kek: KeyEncryptionKey, settings: Settings) -> None:
        self._kek = kek
        self._algorithm = settings.algorithm
        self._policy = policy_of(settings)

    def complete(self, tx: Transaction) -> None:
        """Makes the keys that are still missing once the lock is held: of two hosts, one does."""
        while (signs_from := self._successor_signs_from(tx)) is not None:
            signing_keys.add(tx, SigningKey.generate(self._algorithm), self._kek, signs_from=signs_from)

    def hand_over(self, tx: Transaction) -> Handover:
        """Has the next key sign once it was public longer than anyone caches; never later than planned."""
        self.complete(tx)
        successor = self._first(tx, Phase.NEXT)
        earliest = max(tx.now, successor.published_at + self._policy.publish_for)
        if earliest < successor.signs_from:
            signing_keys.hasten(tx, successor.kid, signs_from=earliest)
            self.complete(tx)
        return Handover(successor.kid, min(earliest, successor.signs_from))

    def revoke(self, tx: Transaction, kid: str) -> Revocation:
        """Ends a key at once, and has the status list signed again, by another key than before.

        The list's new signer is what makes verifiers ask for the keys again, however long they may cache
        them. So the next key takes over even if the revoked one was not the current.
        Raises UnknownSigningKey.
        """
        keys = {key.kid: key for key in signing_keys.ring(tx.session)}
        phases = ring.phases(keys.values(), tx.now, self._policy)
        revoked_at = keys[kid].revoked_at if kid in keys else None
        if revoked_at is None:
            signing_keys.revoke(tx, kid)
        self.complete(tx)
        if revoked_at is None and phases[kid] is not Phase.GONE:
            self._change_signer(tx, phases)
            status_indices.raise_version(tx)
        return Revocation(
            revoked_at=tx.now if revoked_at is None else revoked_at,
            current=self._first(tx, Phase.CURRENT).kid,
            next=self._first(tx, Phase.NEXT).kid,
            was_revoked_before=revoked_at is not None,
        )

    def _change_signer(self, tx: Transaction, before: Mapping[str, Phase]) -> None:
        current = self._first(tx, Phase.CURRENT)
        has_changed = before.get(current.kid) is not Phase.CURRENT
        successor = current if has_changed else self._first(tx, Phase.NEXT)
        if successor.signs_from > tx.now:
            signing_keys.hasten(tx, successor.kid, signs_from=tx.now)
            self.complete(tx)

    def _first(self, tx: Transaction, phase: Phase) -> RingKey:
        keys = sorted(signing_keys.ring(tx.session), key=lambda key: key.signs_from)
        phases = ring.phases(keys, tx.now, self._policy)
        return next(key for key in keys if phases[key.kid] is phase)

    def _successor_signs_from(self, tx: Transaction) -> int | None:
        return ring.successor_signs_from(signing_keys.ring(tx.session), tx.now, self._policy)
