"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key-encryption key."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import base64url

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class SealBroken(ValueError):
    """What is sealed was not sealed by this key-encryption key for this purpose, or was changed."""


@dataclass(frozen=True, slots=True)
class KeyEncryptionKey:
    """256 random bits that seal every secret in the database."""

    _key: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> KeyEncryptionKey:
        return cls(os.urandom(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> KeyEncryptionKey:
        """From 43 base64url characters, as `to_text` prints. Raises ValueError; it never quotes the text."""
        try:
            key = base64url.decode(text.strip().encode())
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            # No cause: its text could hold a part of the key.
            raise ValueError("a key-encryption key is 32 random bytes in base64url, 43 characters") from None
        return cls(key)

    def to_text(self) -> str:
        return base64url.encode(self._key).decode()

    def seal(self, plaintext: bytes, purpose: str) -> bytes:
        """Encrypts and binds to `purpose`: what is sealed for one row does not open as another."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + AESGCM(self._key).encrypt(nonce, plaintext, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises SealBroken."""
        if sealed[:1] != _VERSION:
            raise SealBroken("sealed in a form that is not known here")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return AESGCM(self._key).decrypt(nonce, ciphertext, purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(
                f"{purpose} does not open: the key-encryption key is another one, or the data was changed"
            ) from error
