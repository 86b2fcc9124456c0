"""A JWKS goes in: trust takes its sound keys, or refuses it with its exact code and stays as it was."""

from __future__ import annotations

import logging

import pytest

from tests.verifier import forge
from tests.verifier.forge import ISSUER, LIST_URI, NOW
from verifier import DocumentError, Trust

OTHER = forge.key(owner="next")


def refused_keys(document: bytes) -> DocumentError:
    trust = forge.trust()
    before = (trust.keys, trust.jwks, trust.keys_updated_at, trust.lists)
    with pytest.raises(DocumentError) as refusal:
        trust.update_keys(document, now=NOW + 100)
    assert all(now is then for now, then in zip(forge.state(trust), before, strict=True))
    return refusal.value


def test_reads_keys_by_kid() -> None:
    trust = Trust(ISSUER)
    assert not trust.keys
    assert trust.keys_updated_at is None
    trust.update_keys(forge.jwks(forge.key(), forge.key("EdDSA"), forge.key("RS256")), now=NOW)
    assert trust.keys.keys() == {forge.key(name).kid for name in ("ES256", "EdDSA", "RS256")}
    assert trust.keys_updated_at == NOW


BAD_KEY_SETS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a JWKS"),
    "array": (b"[]", "not a JWKS"),
    "html": (b"<html>", "not a JWKS"),
    "byte order mark": (b'\xef\xbb\xbf{"keys":[]}', "not a JWKS"),
    "keys twice": (b'{"keys":[],"keys":[]}', "not a JWKS"),
    "tower": (b'{"keys":' + b"[" * 100_000, "not a JWKS"),
    "no keys": (b"{}", "keys is missing, no list or too long"),
    "keys is an object": (b'{"keys":{}}', "keys is missing, no list or too long"),
    "keys is null": (b'{"keys":null}', "keys is missing, no list or too long"),
    "101 keys": (forge.jwks_of(*[{}] * 101), "keys is missing, no list or too long"),
    "nothing in it": (forge.jwks_of(), "no usable key"),
    "an empty key": (forge.jwks_of({}), "no usable key"),
    "no objects": (forge.jwks_of("x", None, 7, []), "no usable key"),
    "100 empty keys": (forge.jwks_of(*[{}] * 100), "no usable key"),
    "a private key": (forge.jwks_of(OTHER.public_jwk | {"d": "AA"}), "no usable key"),
    "one key twice": (forge.jwks_of(OTHER.public_jwk, OTHER.public_jwk), "same kid"),
    "kid of an unusable key": (forge.jwks_of(OTHER.public_jwk, {"kty": "oct", "kid": OTHER.kid}), "same kid"),
    "kid is a list, twice": (forge.jwks_of(OTHER.public_jwk, {"kid": [1]}, {"kid": [1]}), "same kid"),
}


@pytest.mark.parametrize(("document", "reason"), BAD_KEY_SETS.values(), ids=BAD_KEY_SETS)
def test_a_bad_jwks_changes_nothing(document: bytes, reason: str) -> None:
    error = refused_keys(document)
    assert error.code == "malformed"
    assert reason in error.detail
    with pytest.raises(DocumentError, match=reason):
        Trust.from_documents(issuer=ISSUER, jwks=document)


def test_a_jwks_is_bounded() -> None:
    spaces = b" " * (256 * 1024 - len(forge.jwks()))
    forge.trust().update_keys(forge.jwks() + spaces, now=NOW)
    assert refused_keys(forge.jwks() + spaces + b" ").code == "too_large"


BROKEN_KEYS: dict[str, object] = {
    "text": "x",
    "null": None,
    "number": 7,
    "array": [],
    "empty": {},
    "symmetric": {"kty": "oct", "k": "AAAA", "kid": "x"},
    "kid is null": OTHER.public_jwk | {"kid": None},
    "kid is a number": OTHER.public_jwk | {"kid": 7},
    "no kid": {name: value for name, value in OTHER.public_jwk.items() if name != "kid"},
    "for encryption": OTHER.public_jwk | {"use": "enc"},
    "off the curve": OTHER.public_jwk | {"y": OTHER.public_jwk["x"]},
    "exponent 1": forge.key("RS256").public_jwk | {"e": "AQ"},
}


@pytest.mark.parametrize("neighbour", BROKEN_KEYS.values(), ids=BROKEN_KEYS)
def test_a_broken_neighbour_does_not_spoil_a_good_key(
    neighbour: object, caplog: pytest.LogCaptureFixture
) -> None:
    trust = Trust(ISSUER)
    with caplog.at_level(logging.WARNING, "verifier.trust"):
        trust.update_keys(forge.jwks_of(neighbour, forge.key().public_jwk), now=NOW)
    assert set(trust.keys) == {forge.key().kid}
    assert "a key of the JWKS is unusable" in caplog.text


def test_keys_without_kid_are_not_alike() -> None:
    trust = Trust(ISSUER)
    trust.update_keys(forge.jwks_of({}, {}, {"kid": None}, forge.key().public_jwk), now=NOW)
    assert set(trust.keys) == {forge.key().kid}


def test_a_hundred_keys_are_still_read() -> None:
    trust = Trust(ISSUER)
    trust.update_keys(forge.jwks_of(*[{}] * 99, forge.key().public_jwk), now=NOW)
    assert set(trust.keys) == {forge.key().kid}


def test_the_same_jwks_again_is_word_from_the_issuer_and_no_change() -> None:
    trust = forge.trust()
    keys, lists = trust.keys, trust.lists
    trust.update_keys(forge.jwks(), now=NOW + 100)
    assert trust.keys is keys
    assert trust.lists is lists
    assert trust.keys_updated_at == NOW + 100


def test_a_withdrawn_key_takes_its_lists_with_it() -> None:
    mine = forge.status_list()
    theirs = forge.status_list(uri=f"{ISSUER}/status/2", signer=OTHER)
    trust = forge.trust(mine, theirs, keys=(forge.key(), OTHER))
    assert len(trust.lists) == 2
    trust.update_keys(forge.jwks(), now=NOW)
    assert set(trust.keys) == {forge.key().kid}
    assert set(trust.lists) == {LIST_URI}
    trust.update_keys(forge.jwks(OTHER), now=NOW)
    assert not trust.lists


def test_without_the_key_that_signed_the_newest_list_an_older_one_is_still_refused() -> None:
    """Of two lists the older one may lack a bit, whoever signed the newer one."""
    older, newer = forge.status_list(version=5), forge.status_list(forge.INDEX, version=10, signer=OTHER)
    trust = forge.trust(newer, keys=(forge.key(), OTHER))
    trust.update_keys(forge.jwks(), now=NOW)
    assert not trust.lists
    with pytest.raises(DocumentError) as refusal:
        trust.update_status_list(older, now=NOW)
    assert refusal.value.code == "revocation_rollback"
    trust.update_status_list(forge.status_list(version=11), now=NOW)
    assert trust.lists[LIST_URI].content.version == 11


def test_a_key_that_comes_back_brings_its_list_back() -> None:
    newest = forge.status_list(version=10, signer=OTHER)
    trust = forge.trust(newest, keys=(forge.key(), OTHER))
    trust.update_keys(forge.jwks(), now=NOW)
    trust.update_keys(forge.jwks(forge.key(), OTHER), now=NOW)
    trust.update_status_list(newest, now=NOW)
    assert trust.lists[LIST_URI].document == newest


def test_what_is_known_cannot_be_changed_in_place() -> None:
    trust = forge.trust()
    with pytest.raises(TypeError):
        trust.keys["x"] = trust.keys[forge.key().kid]  # type: ignore[index]
    with pytest.raises(TypeError):
        trust.lists["x"] = trust.lists[LIST_URI]  # type: ignore[index]
