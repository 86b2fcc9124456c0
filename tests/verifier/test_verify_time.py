"""Time and memory: a remembered token meets every check that depends on the moment, each time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

import verifier.verify
from tests.verifier import forge
from tests.verifier.forge import AUDIENCE, EXP, INDEX, ISSUER, NOW, verdict
from verifier import InvalidClaim, TokenError, Trust, Verifier


@pytest.mark.parametrize(
    ("changes", "options", "now", "expected"),
    [
        ({}, {}, NOW - 90, "accepted"),
        ({}, {}, NOW - 91, "not_yet_valid"),
        ({}, {}, EXP - 1, "accepted"),
        ({}, {}, EXP - 0.01, "accepted"),
        ({}, {}, EXP, "expired"),
        ({}, {}, EXP + 1, "expired"),
        ({}, {}, EXP + 10**9, "expired"),
        ({}, {"leeway": 60}, EXP + 59, "accepted"),
        ({}, {"leeway": 60}, EXP + 60, "expired"),
        ({}, {"leeway": 60}, NOW - 91, "not_yet_valid"),
        ({"nbf": NOW + 30}, {}, NOW, "accepted"),
        ({"nbf": NOW + 31}, {}, NOW, "not_yet_valid"),
        ({"nbf": NOW + 31}, {"leeway": 60}, NOW, "not_yet_valid"),
        ({"iat": NOW + 30}, {}, NOW, "accepted"),
        ({"iat": NOW + 31}, {}, NOW, "not_yet_valid"),
        ({"iat": NOW + 31}, {"leeway": 60}, NOW, "not_yet_valid"),
        ({"exp": EXP + 1}, {"leeway": 60}, NOW, "invalid_claim"),
        ({"exp": EXP + 1}, {"max_lifetime": 3601}, NOW, "accepted"),
        ({"exp": NOW - 59}, {"max_lifetime": 1}, NOW - 60, "accepted"),
        ({"exp": EXP}, {"max_lifetime": 3599}, NOW, "invalid_claim"),
    ],
)
def test_time(changes: dict[str, Any], options: dict[str, Any], now: float, expected: str) -> None:
    verifier = forge.verifier(forge.IN_FORCE, **options)
    raw = forge.token(**changes)
    assert [verdict(raw, verifier, now=now), verdict(raw, verifier, now=now)] == [expected, expected]


def test_the_refusal_of_a_long_life_names_exp() -> None:
    with pytest.raises(InvalidClaim, match="exp is more than 3600 seconds after iat") as refusal:
        forge.verifier().verify(forge.token(exp=EXP + 1), now=NOW)
    assert refusal.value.claim == "exp"


def test_the_system_clock_is_the_default() -> None:
    now = int(time.time())
    trust = Trust.from_documents(
        issuer=ISSUER, jwks=forge.jwks(), status_lists=[forge.status_list(iat=now, exp=now + 600)]
    )
    verifier = Verifier(ISSUER, AUDIENCE, trust=trust)
    assert verifier.verify(forge.token(iat=now, exp=now + 600)).expires_at == now + 600
    with pytest.raises(TokenError, match="expired"):
        verifier.verify(forge.token(iat=now - 600, exp=now - 1))


def test_a_remembered_token_is_the_same_token() -> None:
    verifier, raw = forge.verifier(), forge.token()
    assert verifier.verify(raw, now=NOW) is verifier.verify(raw, now=NOW + 1)


def test_a_remembered_token_still_expires() -> None:
    verifier, raw = forge.verifier(forge.IN_FORCE), forge.token()
    assert [verdict(raw, verifier, now=now) for now in (NOW, EXP, NOW)] == ["accepted", "expired", "accepted"]


def test_a_remembered_token_can_still_be_revoked() -> None:
    trust = forge.trust()
    verifier, raw = Verifier(ISSUER, AUDIENCE, trust=trust), forge.token()
    assert verdict(raw, verifier) == "accepted"
    trust.update_status_list(forge.status_list(INDEX - 1, INDEX + 1, version=2), now=NOW)
    assert verdict(raw, verifier) == "accepted"
    trust.update_status_list(forge.status_list(INDEX, version=3), now=NOW)
    assert verdict(raw, verifier) == "revoked"


def test_what_equals_a_remembered_token_is_not_it() -> None:
    class Twin(str):
        """A text that its maker calls equal to another one."""

        __slots__ = ()

        def __hash__(self) -> int:
            return hash("forged")

        def __eq__(self, other: object) -> bool:
            return True

    it = forge.verifier()
    it.verify(Twin(forge.token()), now=NOW)
    assert verdict("forged", it) == "malformed"


def test_a_long_token_is_good_and_not_remembered() -> None:
    it = forge.verifier()
    assert verdict(forge.token(jti="j" * 3000), it) == "accepted"
    assert not it._remembered[1]


def test_a_remembered_token_falls_with_its_key() -> None:
    stolen, fresh = forge.key(owner="stolen"), forge.key()
    trust = forge.trust(keys=(stolen, fresh))
    verifier = Verifier(ISSUER, AUDIENCE, trust=trust)
    raw = stolen.sign(json.dumps(forge.claims()).encode(), "at+jwt")
    assert verdict(raw, verifier) == "accepted"
    trust.update_keys(forge.jwks(fresh), now=NOW)
    assert verdict(raw, verifier) == "unknown_key"
    trust.update_keys(forge.jwks(stolen, fresh), now=NOW)
    assert verdict(raw, verifier) == "accepted"


def test_a_list_falls_with_its_key() -> None:
    stolen, fresh = forge.key(owner="stolen"), forge.key()
    trust = forge.trust(forge.status_list(signer=stolen), keys=(stolen, fresh))
    verifier, raw = Verifier(ISSUER, AUDIENCE, trust=trust), forge.token()
    assert verdict(raw, verifier) == "accepted"
    trust.update_keys(forge.jwks(fresh), now=NOW)
    assert verdict(raw, verifier) == "revocation_stale"


def test_only_good_tokens_are_remembered_and_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier.verify, "_MAX_REMEMBERED", 3)
    it = forge.verifier()
    for number in range(10):
        assert verdict(forge.token(aud="https://other.example"), it) == "wrong_audience"
        assert verdict(forge.token(jti=f"token-{number}"), it) == "accepted"
        assert 0 < len(it._remembered[1]) <= 3
