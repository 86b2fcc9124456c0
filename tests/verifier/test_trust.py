"""Bytes in: trust advances, or refuses with its exact code and stays as it was."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from keys import SigningKey, base64url
from tests.verifier import forge
from tests.verifier.forge import ISSUER, LIST_URI, NOW
from verifier import DocumentError, TokenError, Trust, jws
from verifier.status_list import MAX_DOCUMENT_CHARACTERS, TYP, StatusList
from verifier.trust import ISSUED_ALGORITHMS, MAX_SKEW

OTHER = forge.key(owner="next")


def refused_keys(document: bytes) -> DocumentError:
    trust = forge.trust()
    before = (trust.keys, trust.jwks, trust.keys_updated_at, trust.lists)
    with pytest.raises(DocumentError) as refusal:
        trust.update_keys(document, now=NOW + 100)
    assert all(now is then for now, then in zip(_state(trust), before, strict=True))
    return refusal.value


def refused_list(trust: Trust, document: bytes, **options: Any) -> DocumentError:
    before = _state(trust)
    with pytest.raises(DocumentError) as refusal:
        trust.update_status_list(document, **({"now": NOW} | options))
    assert all(now is then for now, then in zip(_state(trust), before, strict=True))
    return refusal.value


def _state(trust: Trust) -> tuple[object, ...]:
    return (trust.keys, trust.jwks, trust.keys_updated_at, trust.lists)


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


def test_what_is_known_cannot_be_changed_in_place() -> None:
    trust = forge.trust()
    with pytest.raises(TypeError):
        trust.keys["x"] = trust.keys[forge.key().kid]  # type: ignore[index]
    with pytest.raises(TypeError):
        trust.lists["x"] = trust.lists[LIST_URI]  # type: ignore[index]


@pytest.mark.parametrize(
    "algorithms", [(), ("none",), ("HS256",), ("ES256", "HS256"), ("PS256",), ("es256",), "ES256"]
)
def test_algorithms_are_some_of_the_issued(algorithms: Any) -> None:
    with pytest.raises(ValueError, match="algorithms must be some of ES256, EdDSA, Ed25519, RS256"):
        Trust(ISSUER, algorithms)
    with pytest.raises(ValueError, match="algorithms must be some of"):
        forge.trust(algorithms=algorithms)


@pytest.mark.parametrize("name", ISSUED_ALGORITHMS)
def test_signature(name: str) -> None:
    signer = forge.key(name)
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(signer))
    token = jws.parse(signer.sign(b"{}", "at+jwt"))
    assert trust.signature_holds(token).kid == signer.kid
    for other in set(ISSUED_ALGORITHMS) - {name}:
        narrower = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(signer), algorithms=(other,))
        with pytest.raises(TokenError, match="bad_algorithm: the algorithm is not one of those"):
            narrower.signature_holds(token)
    forged = jws.parse(forge.key(name, "evil").sign(b"{}", "at+jwt"))
    with pytest.raises(TokenError, match="unknown_key"):
        trust.signature_holds(forged)


@pytest.mark.parametrize("name", ISSUED_ALGORITHMS)
@pytest.mark.parametrize("signed_as", [*ISSUED_ALGORITHMS, "none", "HS256", "PS256", "ES512", "es256", ""])
def test_a_key_binds_its_algorithm(name: str, signed_as: str) -> None:
    signer = forge.key(name)
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(signer))
    header = {"alg": signed_as, "kid": signer.kid}
    token = jws.parse(forge.compact(json.dumps(header).encode(), b"{}", signer))
    if signed_as == name:
        assert trust.signature_holds(token).algorithms == {name}
        return
    with pytest.raises(TokenError) as refusal:
        trust.signature_holds(token)
    assert refusal.value.code == "bad_algorithm"
    bound = signed_as in ISSUED_ALGORITHMS
    assert refusal.value.detail.startswith("the key is for another" if bound else "the algorithm is not one")


def test_a_key_without_alg_takes_those_of_its_type() -> None:
    signer = forge.key("EdDSA")
    members = {name: value for name, value in signer.public_jwk.items() if name != "alg"}
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks_of(members))
    for signed_as in ("EdDSA", "Ed25519"):
        header = json.dumps({"alg": signed_as, "kid": signer.kid}).encode()
        assert trust.signature_holds(jws.parse(forge.compact(header, b"{}", signer))).kid == signer.kid


def test_the_signature_covers_header_and_payload() -> None:
    trust = forge.trust()
    header, payload, signature = forge.token().split(".")
    other_header, other_payload, other_signature = forge.with_header(x=1).split(".")
    respelled = base64url.encode(json.dumps(forge.claims(jti="token-2")).encode()).decode()
    trust.signature_holds(jws.parse(f"{header}.{payload}.{signature}"))
    for raw in (
        f"{other_header}.{payload}.{signature}",
        f"{header}.{respelled}.{signature}",
        f"{header}.{payload}.{other_signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{'A' * 86}",
        f"{header}..{signature}",
    ):
        with pytest.raises(TokenError, match="bad_signature"):
            trust.signature_holds(jws.parse(raw))
    assert payload == other_payload


def test_a_key_is_found_by_its_exact_kid() -> None:
    kid = forge.key().kid
    for other in (forge.ABSENT, "", "other", kid + " ", " " + kid, kid[:-1], kid.swapcase()):
        with pytest.raises(TokenError, match="unknown_key"):
            forge.trust().signature_holds(jws.parse(forge.with_header(kid=other)))


BAD_LISTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "malformed"),
    "no base64url": (b"a.b.c", "malformed"),
    "html": (b"<html>", "malformed"),
    "no ASCII": (b"\xff.\xff.\xff", "malformed"),
    "line end": (forge.status_list() + b"\n", "malformed"),
    "bits": (forge.signed_list(status_list={"bits": 3, "lst": "eNrbuRgAAhcBXQ"}), "malformed"),
    "issuer": (forge.signed_list(iss="https://other.example"), "malformed"),
    "no end": (forge.signed_list(exp=forge.ABSENT), "malformed"),
    "no object": (forge.key().sign(b"[]", TYP).encode(), "malformed"),
    "typ JWT": (forge.status_list(typ="JWT"), "wrong_type"),
    "typ of a token": (forge.status_list(typ="at+jwt"), "wrong_type"),
    "typ empty": (forge.status_list(typ=""), "wrong_type"),
    "a token": (forge.token().encode(), "wrong_type"),
    "no typ": (forge.with_header(typ=forge.ABSENT).encode(), "wrong_type"),
    "unknown key": (forge.status_list(signer=OTHER), "unknown_key"),
    "unsigned": (forge.with_header(typ=TYP, alg="none").encode(), "bad_algorithm"),
    "another algorithm": (forge.with_header(typ=TYP, alg="RS256").encode(), "bad_algorithm"),
    "signature": (forge.status_list()[:-6] + b"AAAAAA", "bad_signature"),
    "too long": (b"." * (MAX_DOCUMENT_CHARACTERS + 1), "too_large"),
    "in the future": (forge.status_list(iat=NOW + MAX_SKEW + 1), "not_yet_valid"),
}


@pytest.mark.parametrize(("document", "code"), BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_bad_list_leaves_the_last_good_one_in_place(document: bytes, code: str) -> None:
    assert refused_list(forge.trust(), document).code == code
    with pytest.raises(DocumentError):
        forge.trust(document)


def test_a_list_that_inflates_too_far_is_too_large() -> None:
    bomb = StatusList(
        uri=LIST_URI, bits=8, statuses=bytes(2**20 + 1), issued_at=NOW, expires_at=NOW + 60, ttl=15
    )
    document = forge.key().sign(bomb.to_payload(ISSUER), TYP).encode()
    assert refused_list(forge.trust(), document).code == "too_large"


def test_a_list_document_is_bounded_before_it_is_read() -> None:
    padding = "x" * (MAX_DOCUMENT_CHARACTERS * 3 // 4 - 1000)
    assert len(forge.signed_list(version=2, padding=padding)) < MAX_DOCUMENT_CHARACTERS
    trust = forge.trust()
    trust.update_status_list(forge.signed_list(version=2, padding=padding), now=NOW)
    assert trust.lists[LIST_URI].content.version == 2
    assert refused_list(trust, forge.signed_list(version=3, padding=padding + "x" * 2000)).code == "too_large"


@pytest.mark.parametrize("typ", ["statuslist+jwt", "application/statuslist+jwt", "StatusList+JWT"])
def test_list_types(typ: str) -> None:
    forge.trust(forge.status_list(typ=typ))


def test_a_list_may_be_a_little_ahead_of_our_clock() -> None:
    trust = forge.trust(forge.status_list(iat=NOW + MAX_SKEW))
    assert trust.lists[LIST_URI].content.issued_at == NOW + MAX_SKEW
    assert trust.lists[LIST_URI].kid == forge.key().kid


def test_an_expired_list_is_kept_as_the_floor() -> None:
    expired = forge.status_list(version=9, iat=NOW - 7200, exp=NOW - 3600)
    trust = forge.trust(expired)
    assert trust.lists[LIST_URI].document == expired
    assert refused_list(trust, forge.status_list(version=8)).code == "revocation_rollback"


def test_the_list_that_was_asked_for() -> None:
    trust = forge.trust()
    other = forge.status_list(uri=f"{ISSUER}/status/2", version=2)
    assert refused_list(trust, other, uri=LIST_URI).code == "wrong_list"
    trust.update_status_list(forge.status_list(version=2), now=NOW, uri=LIST_URI)
    trust.update_status_list(other, now=NOW)
    assert set(trust.lists) == {LIST_URI, f"{ISSUER}/status/2"}


@pytest.mark.parametrize(
    ("version", "iat", "advances"),
    [
        (6, NOW - 20, True),
        (6, NOW - 2000, True),
        (5, NOW - 9, True),
        (5, NOW - 10, False),
        (5, NOW - 11, False),
        (4, NOW, False),
        (0, NOW, False),
    ],
)
def test_a_list_never_goes_back(version: int, iat: int, *, advances: bool) -> None:
    trust = forge.trust(forge.status_list(version=5, iat=NOW - 10))
    document = forge.status_list(7, version=version, iat=iat)
    if advances:
        trust.update_status_list(document, now=NOW)
        assert trust.lists[LIST_URI].document == document
    else:
        assert refused_list(trust, document).code == "revocation_rollback"


def test_the_same_document_again_is_no_news() -> None:
    document = forge.status_list()
    trust = forge.trust(document)
    lists = trust.lists
    trust.update_status_list(document, now=NOW)
    assert trust.lists is lists


def test_an_update_keeps_the_other_lists() -> None:
    trust = forge.trust(forge.status_list(), forge.status_list(uri="u"))
    trust.update_status_list(forge.status_list(uri="u", version=2), now=NOW)
    assert set(trust.lists) == {LIST_URI, "u"}


def test_the_system_clock_is_the_default() -> None:
    with pytest.raises(DocumentError, match="not_yet_valid"):
        Trust.from_documents(
            issuer=ISSUER, jwks=forge.jwks(), status_lists=[forge.status_list(iat=NOW * 2, exp=NOW * 3)]
        )


def test_the_same_kid_at_another_issuer_is_another_key() -> None:
    mine, theirs = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    documents = [forge.jwks_of(signer.public_jwk | {"kid": "1"}) for signer in (mine, theirs)]
    here, there = (
        Trust.from_documents(issuer=f"https://{n}.example", jwks=d) for n, d in enumerate(documents)
    )
    raw = forge.compact(b'{"alg":"ES256","kid":"1"}', b"{}", mine)
    here.signature_holds(jws.parse(raw))
    with pytest.raises(TokenError, match="bad_signature"):
        there.signature_holds(jws.parse(raw))
