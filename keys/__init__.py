"""Key material: signing keys, JWKs, role keys, handles. No clock, no network, no database."""

from keys.algorithms import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm
from keys.handle import Handle, handle_hash
from keys.jwk import PublicKey, UnusableKey, thumbprint
from keys.ring import Phase, Policy, RingKey
from keys.seal import KeyEncryptionKey, SealBroken
from keys.secret import MalformedRoleKey, RoleKey
from keys.signing_key import SigningKey

__all__ = [
    "ALGORITHMS",
    "DEFAULT_ALGORITHM",
    "Algorithm",
    "Handle",
    "KeyEncryptionKey",
    "MalformedRoleKey",
    "Phase",
    "Policy",
    "PublicKey",
    "RingKey",
    "RoleKey",
    "SealBroken",
    "SigningKey",
    "UnusableKey",
    "handle_hash",
    "thumbprint",
]
