"""Public keys as JWKs, both ways (RFC 7517, RFC 7518 section 6, RFC 8037), and what makes a JWK unusable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keys import base64url
from keys.algorithms import ALGORITHMS, RSA_BITS

CryptographyKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

# The members of a public key, which are also those that RFC 7638 section 3.2 hashes, in that order.
_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MAX_KID_CHARACTERS = 256
_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
# For each prime the remainders that a modulus of the flawed generator can have: the powers of 65537.
_ROCA_REMAINDERS = {p: frozenset(pow(65537, n, p) for n in range(p)) for p in _PRIMES}
# With a key of small order anybody can sign. Its y is 0, 1 or -1 (orders 4, 1 and 2), or one of these.
_ED25519_PRIME = 2**255 - 19
_ED25519_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_ED25519_ORDER_8 = (_ED25519_Y, _ED25519_PRIME - _ED25519_Y)


class UnusableKey(ValueError):
    """A JWK that must not verify anything; the message says why. It never quotes the key."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """A key that signatures are checked with. It binds the algorithms that it may be used for."""

    kid: str
    algorithms: frozenset[str]
    key: CryptographyKey

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> PublicKey:
        """Raises UnusableKey for anything but a sound public signature key of a known algorithm."""
        kty = jwk.get("kty")
        if not isinstance(kty, str) or kty not in _MEMBERS:
            raise UnusableKey("kty is not EC, OKP or RSA")
        if not _PRIVATE_MEMBERS.isdisjoint(jwk):
            raise UnusableKey("it carries private members")
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID_CHARACTERS:
            raise UnusableKey("kid is missing or not a short text")
        if jwk.get("use", "sig") != "sig":
            raise UnusableKey("use is not sig")
        key_ops = jwk.get("key_ops", ["verify"])
        if not isinstance(key_ops, list) or "verify" not in key_ops:
            raise UnusableKey("key_ops does not allow verify")
        return cls(kid=kid, algorithms=_algorithms(kty, jwk), key=_READ[kty](jwk))

    def verify(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's under `algorithm`, which must be one of `algorithms`."""
        return ALGORITHMS[algorithm].verifier()(message, self.key, signature)


def public_jwk(key: CryptographyKey, algorithm: str) -> dict[str, str]:
    """The public JWK of `key` for `algorithm`; its `kid` is the thumbprint."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        members = {"kty": "EC", "crv": "P-256", "x": _text(point.x, 32), "y": _text(point.y, 32)}
    elif isinstance(key, ed25519.Ed25519PublicKey):
        members = {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key.public_bytes_raw()).decode()}
    else:
        numbers = key.public_numbers()
        members = {"kty": "RSA", "n": _text(numbers.n), "e": _text(numbers.e)}
    return members | {"kid": thumbprint(members), "use": "sig", "alg": algorithm}


def thumbprint(jwk: Mapping[str, object]) -> str:
    """The RFC 7638 SHA-256 thumbprint. Raises UnusableKey if a required member is missing."""
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise UnusableKey("kty is not EC, OKP or RSA")
    if any(not isinstance(jwk.get(name), str) for name in _MEMBERS[kty]):
        raise UnusableKey("a member of the key is missing")
    required = {name: jwk[name] for name in _MEMBERS[kty]}
    canonical = json.dumps(required, separators=(",", ":"), ensure_ascii=False).encode()
    return base64url.encode(hashlib.sha256(canonical).digest()).decode()


def _algorithms(kty: str, jwk: Mapping[str, object]) -> frozenset[str]:
    rows = [row for row in ALGORITHMS.values() if row.kty == kty and row.crv == jwk.get("crv")]
    names = frozenset(row.name for row in rows if jwk.get("alg", row.name) == row.name)
    if not names:
        raise UnusableKey("alg is unknown or does not fit kty and crv")
    return names


def _read_ec(jwk: Mapping[str, object]) -> ec.EllipticCurvePublicKey:
    x, y = _bytes(jwk, "x", 32), _bytes(jwk, "y", 32)
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
    try:
        key = numbers.public_key()
    except ValueError as error:
        raise UnusableKey("the point is not on the curve") from error
    # A coordinate past the field's prime is taken modulo it: another spelling, with another thumbprint.
    if key.public_numbers() != numbers:
        raise UnusableKey("a coordinate is not in the field")
    return key


def _read_okp(jwk: Mapping[str, object]) -> ed25519.Ed25519PublicKey:
    encoded = _bytes(jwk, "x", 32)
    y = int.from_bytes(encoded, "little") % 2**255
    if not 1 < y < _ED25519_PRIME - 1 or y in _ED25519_ORDER_8:
        raise UnusableKey("the point is of small order or not in the field")
    return ed25519.Ed25519PublicKey.from_public_bytes(encoded)


def _read_rsa(jwk: Mapping[str, object]) -> rsa.RSAPublicKey:
    n, e = int.from_bytes(_bytes(jwk, "n")), int.from_bytes(_bytes(jwk, "e"))
    if n.bit_length() not in RSA_BITS:
        raise UnusableKey(f"the modulus is not of {RSA_BITS.start} to {RSA_BITS[-1]} bits")
    if not 3 <= e < 2**32 or not e & 1 or not n & 1:
        raise UnusableKey("the modulus or the exponent is unsound")
    if all(n % p in remainders for p, remainders in _ROCA_REMAINDERS.items()):
        raise UnusableKey("the modulus comes from a flawed generator (CVE-2017-15361)")
    return rsa.RSAPublicNumbers(e, n).public_key()


_READ: Mapping[str, Callable[[Mapping[str, object]], CryptographyKey]]
_READ = {"EC": _read_ec, "OKP": _read_okp, "RSA": _read_rsa}


def _bytes(jwk: Mapping[str, object], name: str, length: int | None = None) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str):
        raise UnusableKey(f"{name} is missing")
    try:
        value = base64url.decode(text.encode())
    except ValueError as error:
        raise UnusableKey(f"{name} is not base64url") from error
    # A number has no leading zero byte (RFC 7518 section 2), a coordinate has its full length.
    if value.startswith(b"\0") if length is None else len(value) != length:
        raise UnusableKey(f"{name} has the wrong length")
    return value


def _text(number: int, length: int | None = None) -> str:
    return base64url.encode(number.to_bytes(length or (number.bit_length() + 7) // 8)).decode()
