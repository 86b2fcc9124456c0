"""JWKs that are broken in one place each."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from keys import PublicKey, UnusableKey, base64url
from tests.keys.rfc_examples import EXAMPLES

EC, RSA, OKP = ({**example.jwk, "kid": "k"} for example in EXAMPLES[:3])
BASES: dict[str, dict[str, str]] = {"EC": EC, "RSA": RSA, "OKP": OKP}

P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_Y_OF_0 = 0x66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4
ED25519_PRIME = 2**255 - 19
ED25519_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = (0, 1, ED25519_PRIME - 1, ED25519_ORDER_8, ED25519_PRIME - ED25519_ORDER_8)
ROCA_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
ROCA_MODULUS = (math.prod(ROCA_PRIMES) << 2000) + pow(65537, 7, math.prod(ROCA_PRIMES))


def text(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()


def coordinate(number: int) -> str:
    return base64url.encode(number.to_bytes(32)).decode()


def point(y: int, sign: int = 0) -> str:
    """An Ed25519 point (RFC 8032 section 5.1.2)."""
    return base64url.encode((y | sign << 255).to_bytes(32, "little")).decode()


def flipped(spelled: str) -> str:
    """The same length, one bit of the middle changed."""
    value = bytearray(base64url.decode(spelled.encode()))
    value[len(value) // 2] ^= 1
    return base64url.encode(bytes(value)).decode()


def with_bytes(spelled: str, before: bytes = b"", after: bytes = b"") -> str:
    return base64url.encode(before + base64url.decode(spelled.encode()) + after).decode()


PRIVATE = "it carries private members"
ALG = "alg is unknown or does not fit kty and crv"
OPS = "key_ops does not allow verify"
SIZE = "the modulus is not of 2048 to 8192 bits"
UNSOUND = "the modulus or the exponent is unsound"
SMALL = "the point is of small order or not in the field"


def respellings(spelled: str) -> list[str]:
    return [spelled + suffix for suffix in ("=", "\n", "+A", "é", "\ud800")]


def other_lengths(spelled: str) -> list[str]:
    shorter = base64url.encode(bytes(31)).decode()
    return ["", shorter, with_bytes(spelled, before=b"\0"), with_bytes(spelled, after=b"\0")]


Row = tuple[str, dict[str, object], str]
"""A usable JWK, what is changed in it (None: removed), why it is refused."""

NUMBERS = (("EC", "x"), ("EC", "y"), ("OKP", "x"), ("RSA", "n"), ("RSA", "e"))
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


def each(base: str, name: str, values: Iterable[object], reason: str) -> list[Row]:
    return [(base, {name: value}, reason) for value in values]


BROKEN: list[Row] = [
    *each("EC", "kty", (None, "oct", "ec", "", 1, ["EC"], {"EC": 1}), "kty is not EC, OKP or RSA"),
    *each("EC", "kid", (None, "", 1, ["k"], b"k", "k" * 257), "kid is missing or not a short text"),
    *each("EC", "use", ("enc", "", "SIG", ["sig"], 1), "use is not sig"),
    *each("EC", "key_ops", ([], ["sign"], "verify", {"verify": 1}, ["VERIFY"], 1), OPS),
    *(
        row
        for base in BASES
        for name in PRIVATE_MEMBERS
        for row in each(base, name, ("AAAA", [], 1), PRIVATE)
    ),
    *each("EC", "alg", ("none", "HS256", "ES384", "ES512", "RS256", "EdDSA", "es256", ""), ALG),
    *each("EC", "alg", (1, ["ES256"], {"ES256": 1}), ALG),
    *each("RSA", "alg", ("ES256", "HS256", "PS256", "RS384", "RSA1_5", "none"), ALG),
    *each("OKP", "alg", ("ES256", "Ed448", "ECDH-ES", "none"), ALG),
    *each("EC", "crv", (None, "P-384", "secp256k1", "p-256", "Ed25519", ["P-256"]), ALG),
    *each("OKP", "crv", (None, "X25519", "Ed448", "P-256"), ALG),
    *each("RSA", "crv", ("P-256",), ALG),
    *each("EC", "kty", ("OKP", "RSA"), ALG),
    *each("OKP", "kty", ("EC", "RSA"), ALG),
    *each("RSA", "kty", ("EC", "OKP"), ALG),
    *(row for base, name in NUMBERS for row in each(base, name, (None, 1, ["AQAB"]), f"{name} is missing")),
    *(
        row
        for base, name in NUMBERS
        for row in each(base, name, respellings(BASES[base][name]), f"{name} is not base64url")
    ),
    *(
        row
        for base, name in NUMBERS[:3]
        for row in each(base, name, other_lengths(BASES[base][name]), f"{name} has the wrong length")
    ),
    *each("RSA", "n", (with_bytes(RSA["n"], before=b"\0"),), "n has the wrong length"),
    *each("RSA", "e", ("AAEAAQ", "AA"), "e has the wrong length"),
    *each("EC", "x", (flipped(EC["x"]), coordinate(0)), "the point is not on the curve"),
    *each("EC", "y", (flipped(EC["y"]), coordinate(0)), "the point is not on the curve"),
    ("EC", {"x": EC["y"], "y": EC["x"]}, "the point is not on the curve"),
    ("EC", {"x": coordinate(0), "y": coordinate(0)}, "the point is not on the curve"),
    ("EC", {"x": coordinate(P256_PRIME), "y": coordinate(P256_Y_OF_0)}, "a coordinate is not in the field"),
    *each("OKP", "x", (point(y, sign) for y in SMALL_ORDER for sign in (0, 1)), SMALL),
    *each("OKP", "x", (point(y) for y in range(ED25519_PRIME, 2**255)), SMALL),
    *each("RSA", "n", ("", text(2**1023 + 1), text(2**2047 - 1), text(2**8192 + 1)), SIZE),
    *each("RSA", "e", ("", *map(text, (1, 2, 4, 65536, 65538, 2**32 + 1, 2**64 + 1))), UNSOUND),
    *each("RSA", "n", (text(2**2048 - 2),), UNSOUND),
    *each("RSA", "n", (text(ROCA_MODULUS),), "the modulus comes from a flawed generator (CVE-2017-15361)"),
]


@pytest.mark.parametrize("base", sorted(BASES))
def test_unbroken_they_are_usable(base: str) -> None:
    assert PublicKey.from_jwk(BASES[base]).kid == "k"


@pytest.mark.parametrize(
    ("base", "change", "reason"), [pytest.param(*row, id=f"{n}-{row[2]}") for n, row in enumerate(BROKEN)]
)
def test_broken_in_one_place(base: str, change: dict[str, object], reason: str) -> None:
    members = {**BASES[base], **change}
    with pytest.raises(UnusableKey) as refused:
        PublicKey.from_jwk({name: value for name, value in members.items() if value is not None})
    assert str(refused.value) == reason


@pytest.mark.parametrize("name", ["kid", "use", "key_ops", "alg"])
def test_null_is_no_way_to_leave_a_member_out(name: str) -> None:
    with pytest.raises(UnusableKey):
        PublicKey.from_jwk({**EC, name: None})


@pytest.mark.parametrize("n", [2**2047 + 1, 2**2048 - 1, 2**4096 - 1, 2**8192 - 1])
def test_moduli_at_the_limits(n: int) -> None:
    assert PublicKey.from_jwk({**RSA, "n": text(n)}).algorithms == {"RS256"}


@pytest.mark.parametrize("e", [3, 17, 65537, 2**32 - 1])
def test_exponents_at_the_limits(e: int) -> None:
    assert PublicKey.from_jwk({**RSA, "e": text(e)}).algorithms == {"RS256"}


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [2, ED25519_PRIME - 2])
def test_ed25519_points_at_the_limits(y: int, sign: int) -> None:
    assert PublicKey.from_jwk({**OKP, "x": point(y, sign)}).algorithms == {"EdDSA", "Ed25519"}


@pytest.mark.parametrize(
    "prime", [p for p in ROCA_PRIMES if len({pow(65537, n, p) for n in range(p)}) < p - 1]
)
def test_one_remainder_off_and_the_modulus_is_no_longer_of_the_flawed_generator(prime: int) -> None:
    powers = {pow(65537, n, prime) for n in range(prime)}
    step = (
        2 * math.prod(ROCA_PRIMES) // prime
    )  # changes the remainder by this prime alone, keeps the modulus odd
    candidates = (ROCA_MODULUS + step * n for n in range(1, prime))
    modulus = next(n for n in candidates if n % prime and n % prime not in powers)
    assert PublicKey.from_jwk({**RSA, "n": text(modulus)}).algorithms == {"RS256"}


def test_a_reason_never_quotes_the_key() -> None:
    for jwk in (
        {**RSA, "d": "c2VjcmV0LXNlY3JldA"},
        {**EC, "y": flipped(EC["y"])},
        {**OKP, "x": OKP["x"] + "="},
    ):
        with pytest.raises(UnusableKey) as refused:
            PublicKey.from_jwk(jwk)
        told = f"{refused.value} {refused.value.__cause__}"
        assert not any(value[:12] in told for name, value in jwk.items() if name in {"n", "d", "x", "y"})
