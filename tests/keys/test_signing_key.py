from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import OKPAlgorithm

from keys import ALGORITHMS, PublicKey, SigningKey, base64url, thumbprint

PAYLOAD = b'{"sub":"user:ada"}'


def independent_verifier() -> jwt.PyJWS:
    """PyJWT, told of the new name of EdDSA (RFC 9864), which it does not know yet."""
    verifier = jwt.PyJWS()
    if "Ed25519" not in verifier.get_algorithms():
        verifier.register_algorithm("Ed25519", OKPAlgorithm())
    return verifier


def independent_key(signing_key: SigningKey) -> Any:
    scheme = signing_key.algorithm.scheme_name
    return jwt.PyJWK(dict(signing_key.public_jwk), algorithm=scheme).key


def test_the_header_is_exactly_alg_kid_and_typ(signing_key: SigningKey) -> None:
    for typ in ("at+jwt", "JWT", "at+jwt"):
        header, payload, _ = signing_key.sign(PAYLOAD, typ).encode().split(b".")
        expected = f'{{"alg":"{signing_key.algorithm.name}","kid":"{signing_key.kid}","typ":"{typ}"}}'
        assert base64url.decode(header) == expected.encode()
        assert base64url.decode(payload) == PAYLOAD


def test_the_kid_is_the_thumbprint_of_the_public_key(signing_key: SigningKey) -> None:
    assert signing_key.kid == signing_key.public_jwk["kid"] == thumbprint(signing_key.public_jwk)


def test_what_is_public_has_no_private_member(signing_key: SigningKey) -> None:
    members = {"EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}, "RSA": {"n", "e"}}[signing_key.algorithm.kty]
    assert set(signing_key.public_jwk) == members | {"kty", "kid", "use", "alg"}
    assert PublicKey.from_jwk(signing_key.public_jwk).algorithms == {signing_key.algorithm.name}


def test_an_independent_verifier_accepts(signing_key: SigningKey) -> None:
    token = signing_key.sign(PAYLOAD, "at+jwt")
    checked = independent_verifier().decode(
        token, independent_key(signing_key), algorithms=[signing_key.algorithm.name]
    )
    assert checked == PAYLOAD


@pytest.mark.parametrize("algorithm", sorted(set(ALGORITHMS) - {"Ed25519"}))
def test_a_stock_decoder_accepts(algorithm: str) -> None:
    signing_key = SigningKey.generate(algorithm)
    token = signing_key.sign(PAYLOAD, "at+jwt")
    key = jwt.PyJWK(dict(signing_key.public_jwk))
    assert jwt.decode(token, key, algorithms=[algorithm]) == json.loads(PAYLOAD)


def test_an_independent_verifier_refuses_another_key_and_another_payload(signing_key: SigningKey) -> None:
    name = signing_key.algorithm.name
    header, payload, signature = signing_key.sign(PAYLOAD, "at+jwt").split(".")
    other_payload = base64url.encode(b'{"sub":"user:eve"}').decode()
    other_key = SigningKey.generate(name)
    for token, key in [
        (f"{header}.{payload}.{signature}", independent_key(other_key)),
        (f"{header}.{other_payload}.{signature}", independent_key(signing_key)),
    ]:
        with pytest.raises(jwt.InvalidSignatureError):
            independent_verifier().decode(token, key, algorithms=[name])


def test_der_and_back(signing_key: SigningKey) -> None:
    der = signing_key.to_der()
    back = SigningKey.from_der(signing_key.algorithm.name, der)
    assert (back.kid, back.algorithm, back.public_jwk, back.to_der()) == (
        signing_key.kid,
        signing_key.algorithm,
        signing_key.public_jwk,
        der,
    )
    message, _, signature = back.sign(PAYLOAD, "JWT").encode().rpartition(b".")
    public = PublicKey.from_jwk(signing_key.public_jwk)
    assert public.verify(signing_key.algorithm.name, message, base64url.decode(signature))


def test_der_is_pkcs8_that_others_read(signing_key: SigningKey) -> None:
    private = serialization.load_der_private_key(signing_key.to_der(), password=None)
    written = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert written == signing_key.to_der()


def test_every_key_is_another(signing_key: SigningKey) -> None:
    assert SigningKey.generate(signing_key.algorithm.name).kid != signing_key.kid


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_certificate_that_it_signed_is_its_own(algorithm: str) -> None:
    signing_key, other = (SigningKey.generate(algorithm) for _ in range(2))
    name, now = x509.Name([]), dt.datetime.now(dt.UTC)
    public = serialization.load_der_private_key(signing_key.to_der(), password=None).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    builder = x509.CertificateBuilder(name, name, public, 1, now, now + dt.timedelta(hours=1))
    signing_key.certify(builder).verify_directly_issued_by(signing_key.certify(builder))
    with pytest.raises(InvalidSignature):
        other.certify(builder).verify_directly_issued_by(signing_key.certify(builder))


@pytest.mark.parametrize("name", ["none", "HS256", "es256", ""])
def test_an_algorithm_outside_the_table_makes_no_key(name: str) -> None:
    with pytest.raises(KeyError):
        SigningKey.generate(name)
    with pytest.raises(KeyError):
        SigningKey.from_der(name, SigningKey.generate("ES256").to_der())


def test_repr_shows_the_kid_and_the_algorithm_alone(signing_key: SigningKey) -> None:
    signing_key.sign(PAYLOAD, "at+jwt")  # fills what it remembers
    expected = f"SigningKey(kid={signing_key.kid!r}, algorithm={signing_key.algorithm!r})"
    assert repr(signing_key) == str(signing_key) == f"{signing_key}" == expected
    assert signing_key.to_der().hex() not in expected


def test_it_cannot_be_changed(signing_key: SigningKey) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        signing_key.kid = "other"  # type: ignore[misc]  # what the test is about
