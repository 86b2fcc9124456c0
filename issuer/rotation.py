"""Changes of the rings of signing keys, each in one transaction: completed, handed over early, a key revoked.

Whatever is done, every ring has a current key and a next one afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from issuer.settings import Settings
from issuer.store import signing_keys, status_indices
from issuer.store.database import Transaction
from issuer.store.signing_keys import OF_REGISTRIES, TOKENS, UnknownSigningKey
from issuer.store.status_indices import MARGIN, MAX_TOKEN_SECONDS
from keys import KeyEncryptionKey, Phase, Policy, RingKey, SigningKey, ring

JWKS_MAX_AGE = 300
"""Seconds for which anyone may cache the JWKS."""
REGISTRY_ALGORITHM = "ES256"
"""Whatever tokens are signed by: with a certificate for Ed25519 registries do not start."""
_DAY = 86400
_IN_FILES = Policy(
    # Registries read their files when they start, so somebody has to bring them there and restart.
    publish_for=_DAY,
    sign_for=5 * 365 * _DAY,
    retire_for=_DAY,
)
"""Of keys that registries have in files."""


class UnknownRing(Exception):
    """No ring has this name; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Handover:
    """The key that signs next, and from when on. Unix seconds."""

    kid: str
    signs_from: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """What became of the ring when a key was revoked."""

    ring: str
    revoked_at: int
    current: str
    next: str
    was_revoked_before: bool
    """Then nothing was changed but for keys that were missing."""


def policy_of(settings: Settings, name: str = TOKENS) -> Policy:
    """How long a key of the ring is public, signs, and is public still."""
    if name in OF_REGISTRIES:
        return _IN_FILES
    return Policy(
        # Twice what anyone may cache, so that a fetch that just failed is made up for.
        publish_for=2 * JWKS_MAX_AGE + MARGIN,
        sign_for=settings.signing_key_lifetime,
        retire_for=max(MAX_TOKEN_SECONDS, settings.status_exp) + JWKS_MAX_AGE + MARGIN,
    )


def rings_of(session: Session, settings: Settings) -> dict[str, list[RingKey]]:
    """Every ring that there is or must be, by name."""
    return signing_keys.rings(session, settings.algorithm, with_registries=bool(settings.registry_services))


class Rotation:
    """The rules by which this issuer's rings are changed."""

    def __init__(self, kek: KeyEncryptionKey, settings: Settings) -> None:
        self._kek = kek
        self._settings = settings

    def complete(self, tx: Transaction) -> None:
        """Makes the keys that are still missing once the lock is held: of two hosts, one does.

        The first key of a ring signs at once. Nobody has cached a JWKS in which it should have been: who
        asked for its algorithm did so just now.
        """
        for name in self._rings(tx):
            while (signs_from := self._successor_signs_from(tx, name)) is not None:
                key = SigningKey.generate(self._algorithm(name))
                signing_keys.add(tx, key, self._kek, ring=name, signs_from=signs_from)

    def hand_over(self, tx: Transaction, name: str) -> Handover:
        """Has the next key sign once it was public longer than anyone caches; never later than planned.

        Raises UnknownRing.
        """
        self.complete(tx)
        if name not in (known := self._rings(tx)):
            raise UnknownRing(f"there is no ring {name}: there are {', '.join(known)}")
        successor = self._first(tx, name, Phase.NEXT)
        earliest = max(tx.now, successor.published_at + self._policy(name).publish_for)
        if earliest < successor.signs_from:
            signing_keys.hasten(tx, successor.kid, signs_from=earliest)
            self.complete(tx)
        return Handover(successor.kid, min(earliest, successor.signs_from))

    def revoke(self, tx: Transaction, kid: str) -> Revocation:
        """Ends a key at once, and has the status list signed again, by another key than before.

        The list's new signer is what makes verifiers ask for the keys again, however long they may cache
        them. So the next key takes over even if the revoked one was not the current, or was one of ID tokens.
        Of a registries' key no verifier knows. Raises UnknownSigningKey.
        """
        before = self._rings(tx)
        name, key = _find(before, kid)
        changing = {name} if name in OF_REGISTRIES else {TOKENS, name}
        phases = {
            kid: phase
            for each in changing
            for kid, phase in ring.phases(before[each], tx.now, self._policy(each)).items()
        }
        if key.revoked_at is None:
            signing_keys.revoke(tx, kid)
        self.complete(tx)
        if key.revoked_at is None and phases[kid] is not Phase.GONE:
            for each in changing:
                self._change_signer(tx, each, phases)
            if TOKENS in changing:
                status_indices.raise_version(tx)
        return Revocation(
            ring=name,
            revoked_at=tx.now if key.revoked_at is None else key.revoked_at,
            current=self._first(tx, name, Phase.CURRENT).kid,
            next=self._first(tx, name, Phase.NEXT).kid,
            was_revoked_before=key.revoked_at is not None,
        )

    def _change_signer(self, tx: Transaction, name: str, before: Mapping[str, Phase]) -> None:
        current = self._first(tx, name, Phase.CURRENT)
        has_changed = before.get(current.kid) is not Phase.CURRENT
        successor = current if has_changed else self._first(tx, name, Phase.NEXT)
        if successor.signs_from > tx.now:
            signing_keys.hasten(tx, successor.kid, signs_from=tx.now)
            self.complete(tx)

    def _first(self, tx: Transaction, name: str, phase: Phase) -> RingKey:
        keys = sorted(self._rings(tx)[name], key=lambda key: key.signs_from)
        phases = ring.phases(keys, tx.now, self._policy(name))
        return next(key for key in keys if phases[key.kid] is phase)

    def _successor_signs_from(self, tx: Transaction, name: str) -> int | None:
        return ring.successor_signs_from(self._rings(tx)[name], tx.now, self._policy(name))

    def _rings(self, tx: Transaction) -> dict[str, list[RingKey]]:
        return rings_of(tx.session, self._settings)

    def _policy(self, name: str) -> Policy:
        return policy_of(self._settings, name)

    def _algorithm(self, name: str) -> str:
        if name in OF_REGISTRIES:
            return REGISTRY_ALGORITHM
        return self._settings.algorithm if name == TOKENS else name


def _find(rings: Mapping[str, list[RingKey]], kid: str) -> tuple[str, RingKey]:
    """The ring and the key. Raises UnknownSigningKey."""
    for name, keys in rings.items():
        for key in keys:
            if key.kid == kid:
                return name, key
    raise UnknownSigningKey(kid)
