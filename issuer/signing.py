"""The signing keys of this process: the current one, and the public set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from issuer.settings import Settings
from issuer.store import signing_keys
from issuer.store.database import Database
from issuer.store.status_indices import MARGIN, MAX_TOKEN_SECONDS
from keys import KeyEncryptionKey, Phase, Policy, RingKey, SigningKey, ring

JWKS_MAX_AGE = 300
"""Seconds for which anyone may cache the JWKS."""


class NoSigningKey(Exception):
    """No key may sign now: the database has none, or all were revoked and no new one was made yet."""


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """The JWKS as every process serves it, byte for byte."""

    document: bytes
    etag: str


class SigningKeys:
    """What `keys.ring` says of the keys in the database, at the last tick."""

    def __init__(self, database: Database, kek: KeyEncryptionKey, settings: Settings) -> None:
        self._database = database
        self._kek = kek
        self._algorithm = settings.algorithm
        self._policy = Policy(
            # Twice what anyone may cache, so that a fetch that just failed is made up for.
            publish_for=2 * JWKS_MAX_AGE + MARGIN,
            sign_for=settings.signing_key_lifetime,
            retire_for=max(MAX_TOKEN_SECONDS, settings.status_exp) + JWKS_MAX_AGE + MARGIN,
        )
        self._ring: list[RingKey] = []
        self._keys: dict[str, SigningKey] = {}
        self._current: SigningKey | None = None
        self.published = PublishedKeys(b'{"keys":[]}', '""')

    @property
    def current(self) -> SigningKey:
        """The key that signs. Raises NoSigningKey."""
        if self._current is None:
            raise NoSigningKey("there is no signing key")
        return self._current

    def load(self, now: int) -> None:
        """Reads the keys from the database. Raises StoreUnavailable, keys.SealBroken."""
        with self._database.read() as session:
            self._keys = signing_keys.open_keys(session, self._kek)
            self._ring = signing_keys.ring(session)
        self.tick(now)

    def tick(self, now: int) -> None:
        """Moves the keys to their phases at `now`; costs little, writes nothing."""
        phases = ring.phases(self._ring, now, self._policy)
        public = [self._keys[key.kid] for key in self._ring if phases[key.kid] is not Phase.GONE]
        current = [key for key in public if phases[key.kid] is Phase.CURRENT]
        self._current = current[0] if current else None
        document = json.dumps({"keys": [key.public_jwk for key in public]}, separators=(",", ":")).encode()
        if document != self.published.document:
            self.published = PublishedKeys(document, f'"{hashlib.sha256(document).hexdigest()[:32]}"')

    def successor_is_due(self, now: int) -> bool:
        return ring.successor_signs_from(self._ring, now, self._policy) is not None

    def make_successor(self, now: int) -> None:
        """Makes the next key if it is still missing once the lock is held: of two hosts, one does."""
        key = SigningKey.generate(self._algorithm)
        with self._database.write(actor="hourmarkd", now=now) as tx:
            signs_from = ring.successor_signs_from(signing_keys.ring(tx.session), now, self._policy)
            if signs_from is not None:
                signing_keys.add(tx, key, self._kek, signs_from=signs_from)
        self.load(now)

    def phases(self, now: int) -> list[tuple[RingKey, SigningKey, Phase]]:
        """Every key with its phase, for operators."""
        phases = ring.phases(self._ring, now, self._policy)
        return [(key, self._keys[key.kid], phases[key.kid]) for key in self._ring]
