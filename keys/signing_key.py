"""One private key that signs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

from keys import base64url
from keys.algorithms import ALGORITHMS, Algorithm
from keys.jwk import public_jwk

if TYPE_CHECKING:
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
        header = self._headers.get(typ) or self._encode_header(typ)
        signing_input = header + base64url.encode(payload)
        signature = self.algorithm.sign(self._private, signing_input)
        return (signing_input + b"." + base64url.encode(signature)).decode()

    def _encode_header(self, typ: str) -> bytes:
        header = {"alg": self.algorithm.name, "kid": self.kid, "typ": typ}
        encoded = base64url.encode(json.dumps(header, separators=(",", ":")).encode()) + b"."
        self._headers[typ] = encoded
        return encoded

    @classmethod
    def _of(cls, algorithm: Algorithm, private: PrivateKey) -> SigningKey:
        jwk = public_jwk(private.public_key(), algorithm.name)
        return cls(kid=jwk["kid"], algorithm=algorithm, public_jwk=jwk, _private=private)
