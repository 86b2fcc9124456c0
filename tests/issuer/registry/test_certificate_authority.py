"""The certificates that registries are given and shown."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuer.registry import certificate_authority as ca
from keys import PublicKey, SigningKey

NOW = 1_800_000_000


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_libtrusts_fingerprint_is_of_the_key_as_certificates_hold_it() -> None:
    key = SigningKey.generate("ES256")
    public = PublicKey.from_jwk(key.public_jwk).key
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = ca.key_id(key)
    assert [len(part) for part in text.split(":")] == [4] * 12
    assert base64.b32decode(text.replace(":", "")) == hashlib.sha256(spki).digest()[:30]


def test_a_leaf_lives_an_hour_and_is_good_for_nothing_but_signing() -> None:
    authority, key = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    leaf, root = ca.leaf(authority, key, NOW), ca.authority(authority, NOW)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(hours=1)
    assert leaf.not_valid_before_utc < at(NOW) < leaf.not_valid_after_utc
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    leaf.verify_directly_issued_by(root)
    other = ca.authority(SigningKey.generate("ES256"), NOW)
    assert other.subject != root.subject, "two authorities in one file are never taken for one another"
    with pytest.raises(ValueError, match="match"):
        leaf.verify_directly_issued_by(other)


def test_an_authority_certifies_leaves_alone_and_outlives_its_time_in_the_ring() -> None:
    authority = ca.authority(SigningKey.generate("ES256"), NOW)
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert authority.not_valid_after_utc > at(NOW) + timedelta(days=10 * 365)


def test_the_certificate_around_a_key_certifies_nothing() -> None:
    key = SigningKey.generate("ES256")
    certificate = ca.by_itself(key, NOW)
    certificate.verify_directly_issued_by(certificate)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.public_key() == PublicKey.from_jwk(key.public_jwk).key
