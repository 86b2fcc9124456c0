"""Revocation: what a list, an old list and no list mean for a token."""

from __future__ import annotations

import logging
from typing import Literal

import pytest

from tests.verifier import forge
from tests.verifier.forge import AUDIENCE, INDEX, ISSUER, LIST_URI, NOW, verdict
from verifier import InvalidClaim, Trust, Verifier


@pytest.mark.parametrize("index", [0, 3, 7, 8, 63])
def test_a_set_bit_revokes(index: int) -> None:
    raw = forge.token(status={"status_list": {"idx": index, "uri": LIST_URI}})
    others = set(range(64)) - {index}
    assert verdict(raw, forge.verifier(forge.status_list(*others))) == "accepted"
    assert verdict(raw, forge.verifier(forge.status_list(index))) == "revoked"


def test_without_a_list_nothing_with_a_status_passes() -> None:
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(), now=NOW)
    statuses: list[Literal["required", "optional"]] = ["required", "optional"]
    for status in statuses:
        verifier = Verifier(ISSUER, AUDIENCE, trust=trust, status=status)
        assert verdict(forge.token(), verifier) == "revocation_stale"


def test_a_token_without_status_needs_leave() -> None:
    raw = forge.token(status=forge.ABSENT)
    with pytest.raises(InvalidClaim, match="status is missing") as refusal:
        forge.verifier().verify(raw, now=NOW)
    assert refusal.value.claim == "status"
    assert forge.verifier(status="optional").verify(raw, now=NOW).status is None
    assert verdict(forge.token(status=None), forge.verifier(status="optional")) == "invalid_claim"
    assert verdict(forge.token(), forge.verifier(forge.status_list(INDEX), status="optional")) == "revoked"


@pytest.mark.parametrize(
    ("leniency", "late", "expected"),
    [
        (None, 0, "revocation_stale"),
        (0, -1, "accepted"),
        (0, 0, "revocation_stale"),
        (0, 1, "revocation_stale"),
        (100, -1, "accepted"),
        (100, 0, "accepted"),
        (100, 99, "accepted"),
        (100, 100, "revocation_stale"),
        (100, 101, "revocation_stale"),
    ],
)
def test_an_expired_list_clears_nothing_but_within_a_named_bound(
    leniency: int | None, late: int, expected: str
) -> None:
    options = {} if leniency is None else {"insecure_stale_list_seconds": leniency}
    verifier = forge.verifier(forge.status_list(exp=NOW), **options)
    assert verdict(forge.token(), verifier, now=NOW + late) == expected
    assert verifier.stale_list_acceptances == (expected == "accepted" and late >= 0)


def test_an_expired_list_still_revokes() -> None:
    verifier = forge.verifier(forge.status_list(INDEX, exp=NOW), insecure_stale_list_seconds=100)
    assert verdict(forge.token(), verifier) == "revoked"


def test_each_use_of_an_expired_list_counts_and_the_first_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    verifier, raw = forge.verifier(forge.status_list(exp=NOW), insecure_stale_list_seconds=100), forge.token()
    with caplog.at_level(logging.WARNING, "verifier.verify"):
        assert [verdict(raw, verifier) for _ in range(3)] == ["accepted"] * 3
    assert verifier.stale_list_acceptances == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"accepting tokens on a status list that expired at {NOW}, for up to 100 seconds"
    ]
