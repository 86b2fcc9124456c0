"""Certificates for registries (RFC 5280): the authority that they trust, and what it certifies.

A registry is given the authority's certificate once. Whatever signs its tokens shows a certificate of an hour
in the header `x5c` (RFC 7515 section 4.1.6), so keys that sign can change and registries need not hear of it.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from keys import PublicKey, SigningKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

LEAF_SECONDS = 3600
"""From a leaf's beginning to its end. A stolen key is worth nothing afterwards."""
BACKDATED_SECONDS = 300
"""A registry's clock may be behind ours; whoever looks at a certificate allows for nothing."""
_YEAR = 365 * 86400
_FILE_YEARS = 11
"""A key waits as long as its predecessor signs, and signs as long: `rotation.policy_of`. And a year."""


def key_id(key: SigningKey) -> str:
    """Registries' own name of a key: libtrust's fingerprint, which versions 2 compute from certificates."""
    digest = hashlib.sha256(_spki(key)).digest()[:30]
    text = base64.b32encode(digest).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def authority(key: SigningKey, made_at: int) -> x509.Certificate:
    """The certificate that registries trust: of `key`, by itself. made_at: Unix seconds."""
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    certificate = _certificate(_authority_name(key), key, made_at - BACKDATED_SECONDS, _FILE_YEARS * _YEAR)
    return key.certify(
        certificate.issuer_name(_authority_name(key))
        .add_extension(constraints, critical=True)
        .add_extension(_usage(certifies=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(_public(key)), critical=False)
    )


def by_itself(key: SigningKey, made_at: int) -> x509.Certificate:
    """A certificate around a key that signs tokens, because versions 2 read keys from certificates alone."""
    name = _name(f"Hourmark registry {key.kid}")
    return key.certify(
        _certificate(name, key, made_at - BACKDATED_SECONDS, _FILE_YEARS * _YEAR)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certifies=False), critical=True)
    )


def leaf(ca: SigningKey, key: SigningKey, now: int) -> x509.Certificate:
    """What `ca` says of a key that signs tokens from `now` on (Unix seconds)."""
    name = _name(f"Hourmark registry {key.kid}")
    return ca.certify(
        _certificate(name, key, now - BACKDATED_SECONDS, LEAF_SECONDS)
        .issuer_name(_authority_name(ca))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certifies=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(ca)), critical=False)
    )


def _certificate(
    subject: x509.Name, key: SigningKey, begins_at: int, seconds: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(_public(key))
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(begins_at, UTC))
        .not_valid_after(datetime.fromtimestamp(begins_at + seconds, UTC))
    )


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies,
        key_cert_sign=certifies,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_name(key: SigningKey) -> x509.Name:
    """Each authority has its own, so that two in one file are not taken for one another."""
    return _name(f"Hourmark registry CA {key.kid}")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _public(key: SigningKey) -> EllipticCurvePublicKey:
    return PublicKey.from_jwk(key.public_jwk).key  # type: ignore[return-value]  # registries' keys are ES256


def _spki(key: SigningKey) -> bytes:
    return _public(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
