"""Wycheproof's raw signatures and key sets through `PublicKey`: every verdict, and no other exception."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from keys import PublicKey, UnusableKey, base64url
from tests.conftest import Counted
from tests.vectors import load


def spelled(hexadecimal: str) -> str:
    return base64url.encode(bytes.fromhex(hexadecimal)).decode()


def coordinate(hexadecimal: str) -> str:
    return base64url.encode(int(hexadecimal, 16).to_bytes(32)).decode()


def ec_members(key: dict[str, Any]) -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": coordinate(key["wx"]), "y": coordinate(key["wy"])}


def ed25519_members(key: dict[str, Any]) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": spelled(key["pk"])}


def rsa_members(key: dict[str, Any]) -> dict[str, str]:
    n, e = key["modulus"].removeprefix("00"), key["publicExponent"].removeprefix("00")
    return {"kty": "RSA", "n": spelled(n), "e": spelled(e)}


FILES: list[tuple[str, str, Callable[[dict[str, Any]], dict[str, str]]]] = [
    ("ecdsa_secp256r1_sha256_p1363_test.json", "ES256", ec_members),
    ("ed25519_test.json", "EdDSA", ed25519_members),
    ("ed25519_test.json", "Ed25519", ed25519_members),
    ("rsa_signature_2048_sha256_test.json", "RS256", rsa_members),
]
DOCUMENTS = {name: load(f"wycheproof/{name}") for name, _, _ in FILES}

# Where the file says "acceptable" both verdicts are lawful; these are ours. MissingNull: RFC 8017 lets a
# verifier take a DigestInfo without NULL parameters, and ours does not.
ACCEPTABLE = {"ES256": {}, "EdDSA": {}, "Ed25519": {}, "RS256": {8: False}}


def verdict(jwk: dict[str, Any], algorithm: str, message: bytes, signature: bytes) -> bool:
    try:
        return PublicKey.from_jwk(jwk).verify(algorithm, message, signature)
    except UnusableKey:
        return False


@pytest.mark.parametrize(("name", "algorithm", "members"), FILES)
def test_signatures(
    name: str,
    algorithm: str,
    members: Callable[[dict[str, Any]], dict[str, str]],
    counted: Counted,
) -> None:
    counts: Counter[str] = Counter()
    wrong: dict[int, bool] = {}
    acceptable: dict[int, bool] = {}
    for group in DOCUMENTS[name]["testGroups"]:
        published = group.get("publicKeyJwk") or group.get("keyJwk") or members(group["publicKey"])
        jwk = {**published, "kid": "wycheproof", "alg": algorithm}
        for test in group["tests"]:
            accepted = verdict(jwk, algorithm, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            counts[test["result"]] += 1
            if test["result"] == "acceptable":
                acceptable[test["tcId"]] = accepted
            elif accepted != (test["result"] == "valid"):
                wrong[test["tcId"]] = accepted
    counted(f"{name} as {algorithm}", counts)
    assert wrong == {}
    assert acceptable == ACCEPTABLE[algorithm]
    assert counts["valid"] > 0
    assert counts["invalid"] > 0
    assert counts.total() == DOCUMENTS[name]["numberOfTests"]


@pytest.mark.parametrize(("name", "algorithm", "members"), FILES)
def test_published_jwks_are_the_raw_keys(
    name: str, algorithm: str, members: Callable[[dict[str, Any]], dict[str, str]]
) -> None:
    """The file's own JWKs are canonical, so both sources of a key above are the same key."""
    compared = 0
    for group in DOCUMENTS[name]["testGroups"]:
        published = group.get("publicKeyJwk") or group.get("keyJwk")
        if published is not None:
            raw = members(group["publicKey"])
            assert {member: published[member] for member in raw} == raw
            assert algorithm in PublicKey.from_jwk(published).algorithms
            compared += 1
    assert compared > 0


KEY_SETS = load("wycheproof/json_web_key_test.json")["testGroups"]

# What Wycheproof refuses because of the key itself, by its tcId.
UNUSABLE = {
    6: "use is not sig",
    7: "the modulus comes from a flawed generator (CVE-2017-15361)",
    8: "the modulus is not of 2048 to 8192 bits",
    9: "the modulus or the exponent is unsound",
    19: "alg is unknown or does not fit kty and crv",
    20: "alg is unknown or does not fit kty and crv",
    21: "use is not sig",
    22: "the point is not on the curve",
    23: "alg is unknown or does not fit kty and crv",
    24: "alg is unknown or does not fit kty and crv",
}


def test_public_key_sets(counted: Counted) -> None:
    seen: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for group in KEY_SETS:
        for key in group.get("public", {"keys": []})["keys"]:
            for test in group["tests"]:
                header_and_payload, _, signature = test["jws"].encode().rpartition(b".")
                try:
                    public = PublicKey.from_jwk(key)
                except UnusableKey as error:
                    seen[test["tcId"]] = str(error)
                    counts["unusable"] += 1
                else:
                    accepted = public.verify(key["alg"], header_and_payload, base64url.decode(signature))
                    assert accepted == (test["result"] == "valid"), test["tcId"]
                    counts[test["result"]] += 1
    counted("json_web_key_test.json, each public key", counts)
    assert seen == UNUSABLE


def test_symmetric_and_private_keys_are_never_public_keys() -> None:
    refused = 0
    for group in KEY_SETS:
        for key in group["private"]["keys"]:
            if not {"k", "d"}.isdisjoint(key):
                with pytest.raises(
                    UnusableKey, match=r"kty is not EC, OKP or RSA|it carries private members"
                ):
                    PublicKey.from_jwk(key)
                refused += 1
    assert refused > len(UNUSABLE)
