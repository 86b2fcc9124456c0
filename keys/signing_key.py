"""One private key that signs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes, serialization

from keys import base64url
from keys.algorithms import ALGORITHMS, Algorithm
from keys.jwk import public_jwk

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateBuilder

    from keys.algorithms import PrivateKey


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A private key with its algorithm. Its `kid` is the RFC 7638 thumbprint of its public key."""

    kid: str
    algorithm: Algorithm
    public_jwk: dict[str, str] = field(repr=False)
    _private: PrivateKey = field(repr=False)
    _headers: dict[str, bytes] = field(repr=False, default_factory=dict)

    @classmethod
    def generate(cls, algorithm: str) -> SigningKey:
        """A new key. Raises KeyError for an algorithm that is not in the table."""
        return cls._of(ALGORITHMS[algorithm], ALGORITHMS[algorithm].generate())

    @classmethod
    def from_der(cls, algorithm: str, der: bytes) -> SigningKey:
        """The key that `to_der` wrote."""
        private = serialization.load_der_private_key(der, password=None)
        return cls._of(ALGORITHMS[algorithm], private)  # type: ignore[arg-type]  # written by to_der

    def to_der(self) -> bytes:
        """PKCS #8, unencrypted: only ever handed to `KeyEncryptionKey.seal`."""
        return self._private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, payload: bytes, typ: str) -> str:
        """The compact JWS of `payload` (RFC 7515 section 7.1) with header `alg`, `kid` and `typ`."""
        header = self._headers.get(typ)
        if header is None:
            header = self._headers[typ] = self.header(kid=self.kid, typ=typ)
        return self.sign_under(header, payload)

    def header(self, **members: object) -> bytes:
        """A JOSE header with `alg` and these members, as `sign_under` takes it."""
        header = {"alg": self.algorithm.name, **members}
        return base64url.encode(json.dumps(header, separators=(",", ":")).encode())

    def sign_under(self, header: bytes, payload: bytes) -> str:
        """The compact JWS of `payload` under a header that `header` made: for those who look for other
        members than `sign` gives.
        """
        signing_input = header + b"." + base64url.encode(payload)
        signature = self.algorithm.sign(self._private, signing_input)
        return (signing_input + b"." + base64url.encode(signature)).decode()

    def certify(self, certificate: CertificateBuilder) -> Certificate:
        """The certificate, signed (RFC 5280); not by Ed25519, for which no hash is chosen."""
        return certificate.sign(self._private, hashes.SHA256())

    @classmethod
    def _of(cls, algorithm: Algorithm, private: PrivateKey) -> SigningKey:
        jwk = public_jwk(private.public_key(), algorithm.name)
        return cls(kid=jwk["kid"], algorithm=algorithm, public_jwk=jwk, _private=private)
