"""A status list goes in: trust advances to it, or refuses it with its exact code and stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verifier import forge
from tests.verifier.forge import ISSUER, LIST_URI, NOW
from verifier import DocumentError, Trust
from verifier.status_list import TYP, StatusList

OTHER = forge.key(owner="next")
LONGEST = 512 * 1024


def refused_list(trust: Trust, document: bytes, **options: Any) -> DocumentError:
    before = forge.state(trust)
    with pytest.raises(DocumentError) as refusal:
        trust.update_status_list(document, **({"now": NOW} | options))
    assert all(now is then for now, then in zip(forge.state(trust), before, strict=True))
    return refusal.value


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
    "as long as may be": (b"." * LONGEST, "malformed"),
    "too long": (b"." * (LONGEST + 1), "too_large"),
    "in the future": (forge.status_list(iat=NOW + 31), "not_yet_valid"),
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
    padding = "x" * (LONGEST * 3 // 4 - 1000)
    assert len(forge.signed_list(version=2, padding=padding)) < LONGEST
    trust = forge.trust()
    trust.update_status_list(forge.signed_list(version=2, padding=padding), now=NOW)
    assert trust.lists[LIST_URI].content.version == 2
    assert refused_list(trust, forge.signed_list(version=3, padding=padding + "x" * 2000)).code == "too_large"


@pytest.mark.parametrize("typ", ["statuslist+jwt", "application/statuslist+jwt", "StatusList+JWT"])
def test_list_types(typ: str) -> None:
    forge.trust(forge.status_list(typ=typ))


def test_a_list_may_be_a_little_ahead_of_our_clock() -> None:
    trust = forge.trust(forge.status_list(iat=NOW + 30))
    assert trust.lists[LIST_URI].content.issued_at == NOW + 30
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
