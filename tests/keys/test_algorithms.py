from __future__ import annotations

import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keys import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm, PublicKey, SigningKey, base64url
from tests.keys.rfc_examples import ED25519_PRIVATE_KEY, EXAMPLES, Example

PROJECT = Path(__file__).resolve().parents[2]
SIGNED = [pytest.param(example, id=example.name) for example in EXAMPLES if example.jws]


def split(example: Example) -> tuple[bytes, bytes]:
    """What is signed, and the signature."""
    assert example.jws is not None
    signing_input, _, signature = example.jws.encode().rpartition(b".")
    return signing_input, base64url.decode(signature)


def test_the_table() -> None:
    assert {row.name: (row.kty, row.crv) for row in ALGORITHMS.values()} == {
        "ES256": ("EC", "P-256"),
        "EdDSA": ("OKP", "Ed25519"),
        "Ed25519": ("OKP", "Ed25519"),
        "RS256": ("RSA", None),
    }
    assert all(name == row.name for name, row in ALGORITHMS.items())
    assert DEFAULT_ALGORITHM == "ES256"


@pytest.mark.parametrize(
    "name", ["none", "None", "", "HS256", "es256", "ES384", "ES256K", "PS256", "RS1", "Ed448"]
)
def test_nothing_else_exists(name: str) -> None:
    assert name not in ALGORITHMS


def test_the_table_cannot_be_extended() -> None:
    table = cast("MutableMapping[str, Algorithm]", ALGORITHMS)
    with pytest.raises(TypeError):
        table["none"] = ALGORITHMS["ES256"]


def test_generated_keys_are_of_the_size_that_the_name_says() -> None:
    es256, rs256 = ALGORITHMS["ES256"].generate(), ALGORITHMS["RS256"].generate()
    assert isinstance(es256, ec.EllipticCurvePrivateKey)
    assert isinstance(es256.curve, ec.SECP256R1)
    assert isinstance(rs256, rsa.RSAPrivateKey)
    assert (rs256.key_size, rs256.public_key().public_numbers().e) == (2048, 65537)
    for name in ("EdDSA", "Ed25519"):
        assert isinstance(ALGORITHMS[name].generate(), ed25519.Ed25519PrivateKey)


@pytest.mark.parametrize("example", SIGNED)
def test_a_published_signature_verifies(example: Example) -> None:
    message, signature = split(example)
    assert PublicKey.from_jwk({**example.jwk, "kid": "k"}).verify(example.algorithm, message, signature)


@pytest.mark.parametrize("example", SIGNED)
def test_a_changed_message_or_signature_does_not(example: Example) -> None:
    message, signature = split(example)
    key = PublicKey.from_jwk({**example.jwk, "kid": "k"})
    changed = bytes([signature[0] ^ 1]) + signature[1:]
    for forged_message, forged in [
        (message + b" ", signature),
        (message, changed),
        (message, signature[:-1]),
        (message, signature + b"\0"),
        (message, b""),
        (message, bytes(len(signature))),
    ]:
        assert not key.verify(example.algorithm, forged_message, forged)


def test_the_ed25519_signature_of_rfc_8037_is_made_again() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(base64url.decode(ED25519_PRIVATE_KEY.encode()))
    [example] = [example for example in EXAMPLES if example.jws and example.algorithm == "EdDSA"]
    message, signature = split(example)
    for name in ("EdDSA", "Ed25519"):
        assert ALGORITHMS[name].sign(key, message) == signature


def test_signatures_have_their_fixed_length(signing_key: SigningKey) -> None:
    signature = base64url.decode(signing_key.sign(b"{}", "JWT").rpartition(".")[2].encode())
    assert (
        len(signature) == {"ES256": 64, "EdDSA": 64, "Ed25519": 64, "RS256": 256}[signing_key.algorithm.name]
    )


def test_the_signature_library_loads_with_the_first_signature() -> None:
    program = (
        "import sys, keys; key = keys.SigningKey.generate('ES256'); before = 'jwt' in sys.modules;"
        "key.sign(b'{}', 'JWT'); print(before, 'jwt' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False True"), done.stderr
