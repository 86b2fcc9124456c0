"""What signs registries' tokens, and when something else does."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography import x509

from issuer.registry import certificate_authority
from issuer.registry.signers import RENEWED_AFTER, RegistrySigners, Signer
from issuer.settings import Settings
from issuer.signing import NoSigningKey, SigningKeys
from issuer.store.database import Database
from issuer.store.signing_keys import REGISTRY, REGISTRY_CA
from keys import Phase
from tests.issuer.store import databases
from tests.issuer.store.databases import KEK, NOW

database = databases.database
DAY = 86400


def opened(database: Database, trust: str) -> tuple[SigningKeys, RegistrySigners]:
    settings = Settings.model_validate({"registry_services": "one.example", "registry_trust": trust})
    signing = SigningKeys(database, KEK, settings)
    signing.load(NOW)
    return signing, RegistrySigners(signing, settings)


def header(signer: Signer) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(signer.header + b"==")))


def test_before_there_is_a_key_nothing_signs(database: Database) -> None:
    signing, signers = opened(database, "x5c")
    with pytest.raises(NoSigningKey):
        signers.present(NOW)
    before = signing.has_empty_ring
    signing.make_successor(NOW)
    assert (before, signing.has_empty_ring) == (True, False)
    assert signers.present(NOW).trusted_by == signing.of(REGISTRY_CA).kid


def test_a_leaf_is_replaced_long_before_it_ends(database: Database) -> None:
    signing, signers = opened(database, "x5c")
    signing.make_successor(NOW)
    first = signers.present(NOW)
    assert signers.present(NOW + RENEWED_AFTER - 1) is first
    second = signers.present(NOW + RENEWED_AFTER)
    assert second.key.kid != first.key.kid
    assert signers.present(NOW) is not second, "the clock was set back: a leaf of the future is refused"
    leaf = x509.load_der_x509_certificate(base64.b64decode(*header(first)["x5c"]))
    leaf.verify_directly_issued_by(certificate_authority.authority(signing.of(REGISTRY_CA), NOW))
    left = leaf.not_valid_after_utc.timestamp() - (NOW + RENEWED_AFTER)
    assert left > 300 + 60, "tokens of the last moment are looked at for as long"


def test_by_kid_the_header_has_libtrusts_fingerprint_and_no_certificate(database: Database) -> None:
    signing, signers = opened(database, "kid")
    signing.make_successor(NOW)
    signer, key = signers.present(NOW), signing.of(REGISTRY)
    assert signer.key is key
    assert header(signer) == {"alg": "ES256", "typ": "JWT", "kid": certificate_authority.key_id(key)}


@pytest.mark.parametrize(("trust", "ring"), [("x5c", REGISTRY_CA), ("kid", REGISTRY)])
def test_what_registries_trust_changes_when_they_had_time_to_learn_it(
    database: Database, trust: str, ring: str
) -> None:
    signing, signers = opened(database, trust)
    signing.make_successor(NOW)
    before = signers.present(NOW)
    handover = signing.hand_over(ring, NOW + 60, actor="tests")
    assert handover.signs_from == NOW + DAY
    signing.tick(NOW + DAY - 1)
    assert signers.present(NOW + DAY - 1).trusted_by == before.trusted_by
    signing.tick(NOW + DAY)
    assert signers.present(NOW + DAY).trusted_by == handover.kid != before.trusted_by


def test_a_revoked_authority_certifies_nothing_more(database: Database) -> None:
    signing, signers = opened(database, "x5c")
    signing.make_successor(NOW)
    before = signers.present(NOW)
    done = signing.revoke(before.trusted_by, NOW + 1, actor="tests")
    assert signers.present(NOW + 1).trusted_by == done.current != before.trusted_by
    assert done.ring == REGISTRY_CA


def test_registries_keys_are_es256_whatever_signs_tokens_and_nobody_else_is_shown_them(
    database: Database,
) -> None:
    settings = Settings(registry_services=("one.example",), algorithm="EdDSA")
    signing = SigningKeys(database, KEK, settings)
    signing.load(NOW)
    signing.make_successor(NOW)
    standings = signing.standings(NOW)
    assert {each.key.algorithm.name for each in standings if each.ring in (REGISTRY, REGISTRY_CA)} == {
        "ES256"
    }
    shown = {jwk["kid"] for jwk in json.loads(signing.published.document)["keys"]}
    assert shown == {each.key.kid for each in standings if each.ring == "tokens"}
    assert [each.phase for each in standings if each.ring == REGISTRY] == [Phase.CURRENT, Phase.NEXT]


def test_no_private_part_is_in_a_repr(database: Database) -> None:
    signing, signers = opened(database, "x5c")
    signing.make_successor(NOW)
    assert "key=" not in repr(signers.present(NOW))
