"""The signing keys of this process: the current ones, and the public set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from issuer.rotation import Handover, Revocation, Rotation, policy_of, rings_of
from issuer.settings import Settings
from issuer.store import signing_keys
from issuer.store.database import Database, Transaction
from issuer.store.signing_keys import OF_REGISTRIES, TOKENS
from keys import KeyEncryptionKey, Phase, RingKey, SigningKey, ring


class NoSigningKey(Exception):
    """No key may sign now: the database has none, or all were revoked and no new one was made yet."""


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """The JWKS as every process serves it, byte for byte."""

    document: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key stands, for operators."""

    ring: str
    row: RingKey
    key: SigningKey
    phase: Phase


class SigningKeys:
    """What `keys.ring` says of the keys in the database, at the last tick."""

    def __init__(self, database: Database, kek: KeyEncryptionKey, settings: Settings) -> None:
        self._database = database
        self._kek = kek
        self._settings = settings
        self._rotation = Rotation(kek, settings)
        self._rings: dict[str, list[RingKey]] = {}
        self._keys: dict[str, SigningKey] = {}
        self._signers: dict[str, SigningKey] = {}
        self.published = PublishedKeys(b'{"keys":[]}', '""')

    @property
    def current(self) -> SigningKey:
        """The key that signs tokens and status lists. Raises NoSigningKey."""
        return self.of(TOKENS)

    def of(self, name: str) -> SigningKey:
        """The current key of a ring. Raises NoSigningKey."""
        signer = self._signers.get(name)
        if signer is None:
            raise NoSigningKey("there is no signing key" if name == TOKENS else f"there is no {name} key")
        return signer

    def of_id_tokens(self, algorithm: str | None) -> SigningKey:
        """The key that signs ID tokens by `algorithm`; None is that of all tokens. Raises NoSigningKey."""
        current = self.current
        return current if algorithm in (None, current.algorithm.name) else self.of(algorithm)

    def load(self, now: int) -> None:
        """Reads the keys from the database. Raises StoreUnavailable, keys.SealBroken."""
        with self._database.read() as session:
            self._keys = signing_keys.open_keys(session, self._kek)
            self._rings = rings_of(session, self._settings)
        self.tick(now)

    def tick(self, now: int) -> None:
        """Moves the keys to their phases at `now`; costs little, writes nothing."""
        standings = self.standings(now)
        self._signers = {each.ring: each.key for each in standings if each.phase is Phase.CURRENT}
        # No verifier of other tokens shall know registries' keys.
        public = [
            each.key.public_jwk
            for each in standings
            if each.phase is not Phase.GONE and each.ring not in OF_REGISTRIES
        ]
        document = json.dumps({"keys": public}, separators=(",", ":")).encode()
        if document != self.published.document:
            self.published = PublishedKeys(document, f'"{hashlib.sha256(document).hexdigest()[:32]}"')

    @property
    def has_empty_ring(self) -> bool:
        """Whether keys are missing that somebody may ask for at once."""
        return not all(self._rings.values())

    def successor_is_due(self, now: int) -> bool:
        return any(
            ring.successor_signs_from(keys, now, policy_of(self._settings, name)) is not None
            for name, keys in self._rings.items()
        )

    def make_successor(self, now: int) -> None:
        """Makes the keys that are missing, unless another process was first."""
        with self._database.write(actor="hourmarkd", now=now) as tx:
            self.complete(tx)
        self.load(now)

    def complete(self, tx: Transaction) -> None:
        """Makes the keys that are missing, with what `tx` has written already."""
        self._rotation.complete(tx)

    def hand_over(self, name: str, now: int, *, actor: str) -> Handover:
        """Has the next key of a ring sign as early as verifiers' caches allow. Raises UnknownRing."""
        with self._database.write(actor=actor, now=now) as tx:
            handover = self.hand_over_in(tx, name)
        self.load(now)
        return handover

    def hand_over_in(self, tx: Transaction, name: str) -> Handover:
        """The same in a transaction of somebody else. Raises UnknownRing."""
        return self._rotation.hand_over(tx, name)

    def revoke(self, kid: str, now: int, *, actor: str) -> Revocation:
        """Ends a key at once. Raises signing_keys.UnknownSigningKey."""
        with self._database.write(actor=actor, now=now) as tx:
            revocation = self._rotation.revoke(tx, kid)
        self.load(now)
        return revocation

    def standings(self, now: int) -> list[Standing]:
        """Every key, in the order in which they were made."""
        found: list[Standing] = []
        for name, keys in self._rings.items():
            phases = ring.phases(keys, now, policy_of(self._settings, name))
            found += [Standing(name, key, self._keys[key.kid], phases[key.kid]) for key in keys]
        return sorted(found, key=lambda each: each.row.number)
