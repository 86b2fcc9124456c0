"""An authenticator of our own (WebAuthn), which can be told to do what a real one never would."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.hashes import SHA256

from keys import base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey."""

    origin: str
    host: str
    user_handle: bytes = b""
    sign_count: int = 0
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: os.urandom(16))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate(SECP256R1()), repr=False)

    def register(self, options: str, **lies: str) -> str:
        """The answer to a page's `data-passkey`, as its form sends it."""
        asked = json.loads(options)
        self.user_handle = base64url.decode(asked["user"]["id"].encode())
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )
        identity = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cose
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + identity}
        return self._credential(
            attestationObject=_text(cbor2.dumps(attestation)),
            clientDataJSON=_text(self._client_data("webauthn.create", asked["challenge"], lies)),
        )

    def sign_in(self, options: str, **lies: str) -> str:
        """The same of the page that signs in."""
        client_data = self._client_data("webauthn.get", json.loads(options)["challenge"], lies)
        data = self._data(0)
        signed = data + hashlib.sha256(client_data).digest()
        return self._credential(
            authenticatorData=_text(data),
            clientDataJSON=_text(client_data),
            signature=_text(self.key.sign(signed, ECDSA(SHA256()))),
            userHandle=_text(self.user_handle),
        )

    def _client_data(self, kind: str, challenge: str, lies: dict[str, str]) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, **lies}).encode()

    def _data(self, more: int) -> bytes:
        flags = bytes([self.flags | more])
        return hashlib.sha256(self.host.encode()).digest() + flags + self.sign_count.to_bytes(4, "big")

    def _credential(self, **response: str) -> str:
        own_id = _text(self.credential_id)
        return json.dumps({"id": own_id, "rawId": own_id, "type": "public-key", "response": response})


def _text(value: bytes) -> str:
    return base64url.encode(value).decode()
