"""The tokens that are verified: as an issuer makes them, of 664 to 920 bytes, and never one twice."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

from keys import PublicKey, SigningKey, base64url
from keys.jwk import CryptographyKey
from verifier import Trust, Verifier
from verifier.status_list import TYP, StatusList

ALGORITHMS = ("ES256", "EdDSA", "RS256")
BYTES = range(664, 920 + 1)
ISSUER = "https://issuer.example"
AUDIENCE = "urn:hourmark:services"
STATUS_URI = f"{ISSUER}/status/1"
LIFETIME = 3600
_REVOKED = range(200_000, 2**20, 85)
"""About 10^4; the tokens' indices lie below."""
_numbers = itertools.count(1)


@cache
def signing_key(algorithm: str) -> SigningKey:
    return SigningKey.generate(algorithm)


def jwks() -> bytes:
    return json.dumps({"keys": [signing_key(algorithm).public_jwk for algorithm in ALGORITHMS]}).encode()


def mint(algorithm: str, count: int) -> list[str]:
    """New tokens that begin now, each with a `jti` of its own."""
    now = int(time.time())
    made = [_mint(algorithm, now) for _ in range(count)]
    if any(len(token) not in BYTES for token in made):
        raise ValueError(f"a token has {len(made[0])} bytes, which the targets were not measured with")
    return made


def verifier() -> Verifier:
    """With every check that it has, and a list on which some are revoked and these tokens are not."""
    return Verifier(ISSUER, AUDIENCE, trust=trust())


def trust() -> Trust:
    now = int(time.time())
    content = StatusList.of(STATUS_URI, _REVOKED, version=1, now=now, ttl=15, lifetime=LIFETIME)
    document = signing_key("ES256").sign(content.to_payload(ISSUER), TYP).encode()
    return Trust.from_documents(issuer=ISSUER, jwks=jwks(), status_lists=[document], now=now)


def public_key(algorithm: str) -> CryptographyKey:
    return PublicKey.from_jwk(signing_key(algorithm).public_jwk).key


def signature_check(key: CryptographyKey) -> Callable[[tuple[bytes, bytes]], object]:
    """The bare check of (message, signature), as cryptography has it: what no verifier can do without."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        ecdsa = ec.ECDSA(hashes.SHA256())
        return lambda signed: key.verify(signed[1], signed[0], ecdsa)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return lambda signed: key.verify(signed[1], signed[0])
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    return lambda signed: key.verify(signed[1], signed[0], pkcs1, sha256)


def signed_part(algorithm: str, token: str) -> tuple[bytes, bytes]:
    """(message, signature) of a token, in the form that cryptography takes."""
    message, _, text = token.encode().rpartition(b".")
    signature = base64url.decode(text)
    if algorithm == "ES256":
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        signature = utils.encode_dss_signature(r, s)
    return message, signature


def _mint(algorithm: str, now: int) -> str:
    number = next(_numbers)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "role:org.account.ci",
        "client_id": "hmk_0123456789abcdef",
        "roles": ["org.account.ci"],
        "scope": "data:get@urn:hourmark:data:org.account.workspace",
        "status": {"status_list": {"idx": 100_000 + number % 100_000, "uri": STATUS_URI}},
        "iat": now,
        "exp": now + LIFETIME,
        "jti": f"{number:015x}",
    }
    return signing_key(algorithm).sign(json.dumps(claims, separators=(",", ":")).encode(), "at+jwt")
