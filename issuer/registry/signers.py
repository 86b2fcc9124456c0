"""What signs registries' tokens at a moment, and the header by which a registry finds the key.

In the mode `x5c` every process has a key of its own, which is nowhere else and soon replaced, with a leaf of
the registries' authority. In the mode `kid` it is the current key of a ring whose public keys are in the
registry's files, under libtrust's fingerprint, which versions 2 and 3 both find.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding

from issuer.registry import certificate_authority
from issuer.rotation import REGISTRY_ALGORITHM
from issuer.settings import Settings
from issuer.signing import SigningKeys
from issuer.store.signing_keys import REGISTRY, REGISTRY_CA
from keys import SigningKey

TYP = "JWT"
RENEWED_AFTER = 1800
"""Seconds. What a leaf has left then is longer than any token that it signed is looked at."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and the header that tells registries which it is."""

    key: SigningKey = field(repr=False)
    header: bytes
    trusted_by: str
    """The `kid` of the key in the registry's files that makes it trust this one."""
    made_at: int

    @classmethod
    def by_leaf(cls, ca: SigningKey, now: int, algorithm: str = REGISTRY_ALGORITHM) -> Signer:
        """A new key with a leaf of `ca`."""
        key = SigningKey.generate(algorithm)
        certificate = certificate_authority.leaf(ca, key, now).public_bytes(Encoding.DER)
        x5c = [base64.b64encode(certificate).decode()]
        return cls(key, key.header(typ=TYP, x5c=x5c), ca.kid, now)

    @classmethod
    def by_kid(cls, key: SigningKey, now: int) -> Signer:
        return cls(key, key.header(typ=TYP, kid=certificate_authority.key_id(key)), key.kid, now)

    def sign(self, payload: bytes) -> str:
        return self.key.sign_under(self.header, payload)


@dataclass(frozen=True, slots=True)
class Mode:
    """How a registry knows what signs."""

    ring: str
    """Whose keys it trusts."""
    signer: Callable[[SigningKey, int], Signer]
    """What signs from a moment on (Unix seconds) because the registry trusts a key."""


MODES: Mapping[str, Mode] = {
    "x5c": Mode(REGISTRY_CA, Signer.by_leaf),
    "kid": Mode(REGISTRY, Signer.by_kid),
}
"""By the setting `registry_trust`."""


class RegistrySigners:
    """The present one of this process. Used from the event loop only."""

    def __init__(self, signing: SigningKeys, settings: Settings) -> None:
        self._signing = signing
        self._mode = MODES[settings.registry_trust]
        self._present: Signer | None = None

    def present(self, now: int) -> Signer:
        """Raises NoSigningKey."""
        trusted = self._signing.of(self._mode.ring)
        if self._present is None or not self._is_good(self._present, trusted, now):
            self._present = self._mode.signer(trusted, now)
        return self._present

    @staticmethod
    def _is_good(signer: Signer, trusted: SigningKey, now: int) -> bool:
        return signer.trusted_by == trusted.kid and 0 <= now - signer.made_at < RENEWED_AFTER
