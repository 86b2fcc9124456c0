"""The signature algorithms that exist here: a row each, and nothing outside the table is ever accepted.

Signatures are PyJWT's. It is imported at the first signature, not with this module: it costs as
much to import as everything else that a verifier needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from jwt.algorithms import Algorithm as SignatureScheme

    PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

RSA_BITS = range(2048, 8192 + 1)
"""Accepted modulus sizes: shorter is weak (RFC 7518 section 3.3), longer burns a verifier's time."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One row: a JOSE algorithm name, the keys it takes, and how one is made."""

    name: str
    """The `alg` of JOSE headers and JWKs (RFC 7518, RFC 8037, RFC 9864)."""
    kty: str
    crv: str | None
    scheme_name: str
    """PyJWT's name of the signature scheme."""
    generate: Callable[[], PrivateKey]

    def sign(self, key: PrivateKey, message: bytes) -> bytes:
        """The JWS signature of `message` (R || S for ECDSA, RFC 7518 section 3.4)."""
        return _scheme(self.scheme_name).sign(message, key)

    def verifier(self) -> Callable[[bytes, object, bytes], bool]:
        """`verify(message, public_key, signature) -> bool`."""
        return _scheme(self.scheme_name).verify


@cache
def _scheme(name: str) -> SignatureScheme:
    from jwt.algorithms import get_default_algorithms

    return get_default_algorithms()[name]


def _generate_p256() -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _generate_ed25519() -> ed25519.Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PrivateKey.generate()


def _generate_rsa() -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS.start)


_ROWS = (
    Algorithm("ES256", "EC", "P-256", "ES256", _generate_p256),
    # One scheme, two names: RFC 9864 renames `EdDSA` to `Ed25519`. Libraries in use know the old name.
    Algorithm("EdDSA", "OKP", "Ed25519", "EdDSA", _generate_ed25519),
    Algorithm("Ed25519", "OKP", "Ed25519", "EdDSA", _generate_ed25519),
    Algorithm("RS256", "RSA", None, "RS256", _generate_rsa),
)
ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({row.name: row for row in _ROWS})
DEFAULT_ALGORITHM = "ES256"
