"""The verifier's list of checks: each one alone, with its exact code, at any moment and from its memory."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import verifier.verify
from tests.verifier import forge
from tests.verifier.forge import AUDIENCE, INDEX, ISSUER, LIST_URI, NOW
from verifier import InvalidClaim, TokenError, Trust, Unavailable, Verifier
from verifier.trust import ISSUED_ALGORITHMS, MAX_SKEW

EXP = NOW + 3540
IN_FORCE = forge.status_list(exp=NOW + 86400)


def code(raw: Any, verifier: Verifier | None = None, *, now: float = NOW) -> str:
    """The verdict: `accepted`, or the code of the refusal."""
    try:
        (verifier or forge.verifier(IN_FORCE)).verify(raw, now=now)
    except TokenError as error:
        not_its_fault = error.code in ("revocation_stale", "keys_unavailable")
        return (
            error.code if isinstance(error, Unavailable) == not_its_fault else f"wrong class for {error.code}"
        )
    return "accepted"


@pytest.mark.parametrize("algorithm", ISSUED_ALGORITHMS)
def test_accepts_a_good_token(algorithm: str) -> None:
    signer = forge.key(algorithm)
    raw = signer.sign(json.dumps(forge.claims(act={"sub": "user:anne"})).encode(), "at+jwt")
    verifier = Verifier(ISSUER, AUDIENCE, trust=forge.trust(keys={forge.key(), signer}))
    token = verifier.verify(raw, now=NOW)
    assert token.issuer == ISSUER
    assert token.audience == (AUDIENCE,)
    assert token.subject == "role:org.account.ci"
    assert token.actor == "user:anne"
    assert (token.issued_at, token.expires_at) == (NOW - 60, EXP)
    assert token.status is not None
    assert (token.status.uri, token.status.index) == (LIST_URI, INDEX)
    token.require("app:query", "my-app", labels={"group": "A"})


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "accepted"),
        ({"unknown": {"a": [1]}}, "accepted"),
        ({"nbf": NOW - 60}, "accepted"),
        ({"iss": forge.ABSENT}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"iss": "https://other.example"}, "wrong_issuer"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"iss": ISSUER[:-1]}, "wrong_issuer"),
        ({"iss": ISSUER.upper()}, "wrong_issuer"),
        ({"iss": [ISSUER]}, "wrong_issuer"),
        ({"iss": {"iss": ISSUER}}, "wrong_issuer"),
        ({"aud": "https://other.example"}, "wrong_audience"),
        ({"aud": AUDIENCE + "/"}, "wrong_audience"),
        ({"aud": AUDIENCE[:-1]}, "wrong_audience"),
        ({"aud": AUDIENCE.upper()}, "wrong_audience"),
        ({"aud": ""}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"aud": ["https://other.example", AUDIENCE + "x"]}, "wrong_audience"),
        ({"aud": ["https://other.example", AUDIENCE]}, "accepted"),
        ({"aud": forge.ABSENT}, "invalid_claim"),
        ({"aud": {AUDIENCE: 1}}, "invalid_claim"),
        ({"sub": forge.ABSENT}, "invalid_claim"),
        ({"jti": forge.ABSENT}, "invalid_claim"),
        ({"client_id": forge.ABSENT}, "invalid_claim"),
        ({"scope": ["app:query@*"]}, "invalid_claim"),
        ({"scope": "app:query@"}, "invalid_claim"),
        ({"roles": "admin"}, "invalid_claim"),
        ({"cnf": {"jkt": "x"}}, "invalid_claim"),
        ({"exp": forge.ABSENT}, "invalid_claim"),
        ({"exp": str(EXP)}, "invalid_claim"),
        ({"exp": EXP * 1000}, "invalid_claim"),
        ({"exp": 10**400}, "invalid_claim"),
        ({"exp": NOW - 60}, "invalid_claim"),
        ({"exp": EXP + 1}, "invalid_claim"),
        ({"exp": EXP + 0.5}, "invalid_claim"),
        ({"iat": forge.ABSENT}, "invalid_claim"),
        ({"iat": 0}, "invalid_claim"),
        ({"iat": 10**400}, "invalid_claim"),
        ({"nbf": 10**400}, "invalid_claim"),
        ({"nbf": None}, "invalid_claim"),
        ({"status": forge.ABSENT}, "invalid_claim"),
        ({"status": {}}, "invalid_claim"),
        ({"status": {"status_list": {"idx": -1, "uri": LIST_URI}}}, "invalid_claim"),
        ({"status": {"status_list": {"idx": 64, "uri": LIST_URI}}}, "revocation_stale"),
        ({"status": {"status_list": {"idx": 2**200, "uri": LIST_URI}}}, "revocation_stale"),
        ({"status": {"status_list": {"idx": 0, "uri": LIST_URI + "0"}}}, "revocation_stale"),
        ({"status": {"status_list": {"idx": 0, "uri": ""}}}, "revocation_stale"),
        ({"status": {"status_list": {"idx": 63, "uri": LIST_URI}}}, "accepted"),
    ],
)
def test_claims(changes: dict[str, Any], verdict: str) -> None:
    assert code(forge.token(**changes)) == verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "accepted"),
        ({"typ": "AT+JWT"}, "accepted"),
        ({"typ": "application/at+jwt"}, "accepted"),
        ({"typ": "Application/At+Jwt"}, "accepted"),
        ({"jku": "https://evil.example", "x5u": "https://evil.example", "x5c": [], "jwk": {}}, "accepted"),
        ({"typ": forge.ABSENT}, "wrong_type"),
        ({"typ": ""}, "wrong_type"),
        ({"typ": "JWT"}, "wrong_type"),
        ({"typ": "statuslist+jwt"}, "wrong_type"),
        ({"typ": "logout+jwt"}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"typ": "at+jwt "}, "wrong_type"),
        ({"typ": "text/at+jwt"}, "wrong_type"),
        ({"typ": ["at+jwt"]}, "malformed"),
        ({"crit": ["x"]}, "malformed"),
        ({"kid": "other"}, "unknown_key"),
        ({"kid": forge.ABSENT}, "unknown_key"),
        ({"alg": "none"}, "bad_algorithm"),
        ({"alg": "HS256"}, "bad_algorithm"),
        ({"alg": "RS256"}, "bad_algorithm"),
        ({"alg": "es256"}, "bad_algorithm"),
        ({"alg": forge.ABSENT}, "malformed"),
    ],
)
def test_headers(changes: dict[str, Any], verdict: str) -> None:
    assert code(forge.with_header(**changes)) == verdict


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'\xef\xbb\xbf{"a":1}',
        b'{"exp":1,"exp":2}',
        b'{"exp":Infinity}',
        b'{"a":"\\ud800"}',
    ],
)
def test_a_signed_payload_is_one_strict_object(payload: bytes) -> None:
    assert code(forge.with_payload(payload)) == "malformed"


def test_an_infinite_number_is_no_time() -> None:
    payload = json.dumps(forge.claims()).replace(str(EXP), "1e999").encode()
    assert code(forge.with_payload(payload)) == "invalid_claim"


def test_the_signature_is_checked_before_the_claims_are_read() -> None:
    raw = forge.compact(
        json.dumps({"alg": "ES256", "kid": forge.key().kid, "typ": "at+jwt"}).encode(),
        b"not even JSON",
        forge.key(owner="evil"),
    )
    assert code(raw) == "bad_signature"


@pytest.mark.parametrize(
    "raw", [None, 7, 1.5, True, b"a.b.c", [], {}, ["a"], {"a": 1}, {1}, object(), "", "a.b", "\ud800"]
)
def test_what_is_no_token_is_malformed(raw: Any) -> None:
    assert code(raw) == "malformed"


def test_bytes_of_a_good_token_are_no_token() -> None:
    raw = forge.token()
    verifier = forge.verifier()
    assert code(raw, verifier) == "accepted"
    assert code(raw.encode(), verifier) == "malformed"


@given(st.text() | st.binary() | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_nothing_but_a_token_error_escapes(raw: Any) -> None:
    assert code(raw) == "malformed"


_any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("sub", "idx", "a")), inner),
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(forge.claims(nbf=0, act=0, job=0, labels=0, cnf=0))), _any_json, min_size=1
    )
)
def test_no_claim_of_any_kind_makes_anything_else_escape(changes: dict[str, Any]) -> None:
    assert code(forge.token(**changes))


# Time. Everything below is true of a remembered token too: each verdict is asked for twice.


@pytest.mark.parametrize(
    ("changes", "options", "now", "verdict"),
    [
        ({}, {}, NOW - 60 - MAX_SKEW, "accepted"),
        ({}, {}, NOW - 61 - MAX_SKEW, "not_yet_valid"),
        ({}, {}, EXP - 1, "accepted"),
        ({}, {}, EXP - 0.01, "accepted"),
        ({}, {}, EXP, "expired"),
        ({}, {}, EXP + 1, "expired"),
        ({}, {}, EXP + 10**9, "expired"),
        ({}, {"leeway": 60}, EXP + 59, "accepted"),
        ({}, {"leeway": 60}, EXP + 60, "expired"),
        ({}, {"leeway": 60}, NOW - 61 - MAX_SKEW, "not_yet_valid"),
        ({"nbf": NOW + MAX_SKEW}, {}, NOW, "accepted"),
        ({"nbf": NOW + MAX_SKEW + 1}, {}, NOW, "not_yet_valid"),
        ({"nbf": NOW + MAX_SKEW + 1}, {"leeway": 60}, NOW, "not_yet_valid"),
        ({"iat": NOW + MAX_SKEW}, {}, NOW, "accepted"),
        ({"iat": NOW + MAX_SKEW + 1}, {}, NOW, "not_yet_valid"),
        ({"iat": NOW + MAX_SKEW + 1}, {"leeway": 60}, NOW, "not_yet_valid"),
        ({"exp": EXP + 1}, {"leeway": 60}, NOW, "invalid_claim"),
        ({"exp": EXP + 1}, {"max_lifetime": 3601}, NOW, "accepted"),
        ({"exp": EXP}, {"max_lifetime": 3599}, NOW, "invalid_claim"),
    ],
)
def test_time(changes: dict[str, Any], options: dict[str, Any], now: float, verdict: str) -> None:
    verifier = forge.verifier(IN_FORCE, **options)
    raw = forge.token(**changes)
    assert [code(raw, verifier, now=now), code(raw, verifier, now=now)] == [verdict, verdict]


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


# What is remembered


def test_a_remembered_token_is_the_same_token() -> None:
    verifier, raw = forge.verifier(), forge.token()
    assert verifier.verify(raw, now=NOW) is verifier.verify(raw, now=NOW + 1)


def test_a_remembered_token_still_expires() -> None:
    verifier, raw = forge.verifier(IN_FORCE), forge.token()
    assert [code(raw, verifier, now=now) for now in (NOW, EXP, NOW)] == ["accepted", "expired", "accepted"]


def test_a_remembered_token_can_still_be_revoked() -> None:
    trust = forge.trust()
    verifier, raw = Verifier(ISSUER, AUDIENCE, trust=trust), forge.token()
    assert code(raw, verifier) == "accepted"
    trust.update_status_list(forge.status_list(INDEX - 1, INDEX + 1, version=2), now=NOW)
    assert code(raw, verifier) == "accepted"
    trust.update_status_list(forge.status_list(INDEX, version=3), now=NOW)
    assert code(raw, verifier) == "revoked"


def test_a_remembered_token_falls_with_its_key() -> None:
    stolen, fresh = forge.key(owner="stolen"), forge.key()
    trust = forge.trust(keys=(stolen, fresh))
    verifier = Verifier(ISSUER, AUDIENCE, trust=trust)
    raw = stolen.sign(json.dumps(forge.claims()).encode(), "at+jwt")
    assert code(raw, verifier) == "accepted"
    trust.update_keys(forge.jwks(fresh), now=NOW)
    assert code(raw, verifier) == "unknown_key"
    trust.update_keys(forge.jwks(stolen, fresh), now=NOW)
    assert code(raw, verifier) == "accepted"


def test_a_list_falls_with_its_key() -> None:
    stolen, fresh = forge.key(owner="stolen"), forge.key()
    trust = forge.trust(forge.status_list(signer=stolen), keys=(stolen, fresh))
    verifier, raw = Verifier(ISSUER, AUDIENCE, trust=trust), forge.token()
    assert code(raw, verifier) == "accepted"
    trust.update_keys(forge.jwks(fresh), now=NOW)
    assert code(raw, verifier) == "revocation_stale"


def test_only_good_tokens_are_remembered_and_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier.verify, "_MAX_REMEMBERED", 3)
    it = forge.verifier()
    for number in range(10):
        assert code(forge.token(aud="https://other.example"), it) == "wrong_audience"
        assert code(forge.token(jti=f"token-{number}"), it) == "accepted"
        assert 0 < len(it._remembered[1]) <= 3


# Status


@pytest.mark.parametrize("index", [0, 3, 7, 8, 63])
def test_a_set_bit_revokes(index: int) -> None:
    raw = forge.token(status={"status_list": {"idx": index, "uri": LIST_URI}})
    others = set(range(64)) - {index}
    assert code(raw, forge.verifier(forge.status_list(*others))) == "accepted"
    assert code(raw, forge.verifier(forge.status_list(index))) == "revoked"


def test_without_a_list_nothing_with_a_status_passes() -> None:
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(), now=NOW)
    statuses: list[Literal["required", "optional"]] = ["required", "optional"]
    for status in statuses:
        verifier = Verifier(ISSUER, AUDIENCE, trust=trust, status=status)
        assert code(forge.token(), verifier) == "revocation_stale"


def test_a_token_without_status_needs_leave() -> None:
    raw = forge.token(status=forge.ABSENT)
    with pytest.raises(InvalidClaim, match="status is missing") as refusal:
        forge.verifier().verify(raw, now=NOW)
    assert refusal.value.claim == "status"
    assert forge.verifier(status="optional").verify(raw, now=NOW).status is None
    assert code(forge.token(status=None), forge.verifier(status="optional")) == "invalid_claim"
    assert code(forge.token(), forge.verifier(forge.status_list(INDEX), status="optional")) == "revoked"


@pytest.mark.parametrize(
    ("leniency", "late", "verdict"),
    [
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
    leniency: int, late: int, verdict: str
) -> None:
    verifier = forge.verifier(forge.status_list(exp=NOW), insecure_stale_list_seconds=leniency)
    assert code(forge.token(), verifier, now=NOW + late) == verdict
    assert verifier.stale_list_acceptances == (verdict == "accepted" and late >= 0)


def test_an_expired_list_still_revokes() -> None:
    verifier = forge.verifier(forge.status_list(INDEX, exp=NOW), insecure_stale_list_seconds=100)
    assert code(forge.token(), verifier) == "revoked"


def test_each_use_of_an_expired_list_counts_and_the_first_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    verifier, raw = forge.verifier(forge.status_list(exp=NOW), insecure_stale_list_seconds=100), forge.token()
    with caplog.at_level(logging.WARNING, "verifier.verify"):
        assert [code(raw, verifier) for _ in range(3)] == ["accepted"] * 3
    assert verifier.stale_list_acceptances == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"accepting tokens on a status list that expired at {NOW}, for up to 100 seconds"
    ]


# Arguments


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"issuer": ""}, "must not be empty"),
        ({"audience": ""}, "must not be empty"),
        ({"audience": []}, "must not be empty"),
        ({"audience": [AUDIENCE, ""]}, "must not be empty"),
        ({"leeway": -1}, "leeway is between 0 and 60 seconds"),
        ({"leeway": 61}, "leeway is between 0 and 60 seconds"),
        ({"leeway": float("nan")}, "leeway is between 0 and 60 seconds"),
        ({"leeway": float("inf")}, "leeway is between 0 and 60 seconds"),
        ({"status": "ignored"}, 'status is "required" or "optional"'),
        ({"status": None}, 'status is "required" or "optional"'),
        ({"issuer": "https://other.example"}, "trust is another issuer's"),
        ({"trust": None, "algorithms": ("none",)}, "algorithms must be some of"),
    ],
)
def test_arguments_that_would_verify_nothing_or_too_much(arguments: dict[str, Any], reason: str) -> None:
    good: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "trust": forge.trust()}
    with pytest.raises(ValueError, match=reason):
        Verifier(**good | arguments)


@pytest.mark.parametrize(
    "audience", [AUDIENCE, [AUDIENCE], ("x", AUDIENCE), {"x", AUDIENCE}, iter(["x", AUDIENCE])]
)
def test_a_service_may_have_several_names(audience: Any) -> None:
    it = Verifier(ISSUER, audience, trust=forge.trust())
    assert code(forge.token(aud=["y", AUDIENCE]), it) == "accepted"
    assert code(forge.token(aud="y"), it) == "wrong_audience"


def test_fixed_trust_needs_no_network_stack() -> None:
    program = "import sys, verifier\nv = verifier.Verifier('i', 'a', trust=verifier.Trust('i'))\nv.close()\n"
    program += "raise SystemExit(not {'httpx', 'asyncio', 'verifier.refresh'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Its own refresh, replaced by one that only takes notes


class Notes:
    made: ClassVar[list[Notes]] = []

    def __init__(self, trust: Trust, cache_path: object) -> None:
        self.trust = trust
        self.calls: list[object] = [("made", cache_path)]
        self.made.append(self)

    def start(self, wait: float) -> None:
        self.calls.append(("start", wait))

    def request_keys(self) -> None:
        self.calls.append("request_keys")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> type[Notes]:
    monkeypatch.setattr("verifier.refresh.Refresher", Notes)
    monkeypatch.setattr(Notes, "made", [])
    return Notes


def test_without_documents_there_are_no_keys_yet(notes: type[Notes]) -> None:
    with Verifier(ISSUER, AUDIENCE, wait=2, cache_path="cache", algorithms=["ES256"]) as verifier:
        assert code(forge.token(), verifier, now=NOW) == "keys_unavailable"
        assert code("a.b", verifier, now=NOW) == "malformed"
        assert verifier.trust.algorithms == {"ES256"}
        verifier.trust.update_keys(forge.jwks(), now=NOW)
        assert code(forge.token(), verifier, now=NOW) == "revocation_stale"
        verifier.trust.update_status_list(forge.status_list(), now=NOW)
        assert code(forge.token(), verifier, now=NOW) == "accepted"
    assert notes.made[0].trust is verifier.trust
    assert notes.made[0].calls == [("made", "cache"), ("start", 2), "close"]
    assert code(forge.token(), verifier, now=NOW) == "accepted"


def test_an_unknown_key_asks_for_fresh_keys_and_nothing_else_does(notes: type[Notes]) -> None:
    verifier = Verifier(ISSUER, AUDIENCE, wait=0)
    verifier.trust.update_keys(forge.jwks(), now=NOW)
    asked = notes.made[0].calls
    for changes in ({"alg": "none"}, {"typ": "JWT", "kid": "other"}, {"crit": [], "kid": "other"}):
        assert code(forge.with_header(**changes), verifier) in ("bad_algorithm", "wrong_type", "malformed")
    assert "request_keys" not in asked
    assert code(forge.with_header(kid="other"), verifier) == "unknown_key"
    assert asked.count("request_keys") == 1
    verifier.close()


def test_a_forgotten_verifier_ends_its_refresh(notes: type[Notes]) -> None:
    Verifier(ISSUER, AUDIENCE)
    assert notes.made[0].calls == [("made", None), ("start", 5.0), "close"]


def test_keys_are_trusted_only_so_long_without_word_from_the_issuer(notes: type[Notes]) -> None:
    verifier = Verifier(ISSUER, AUDIENCE, max_keys_age=100)
    verifier.trust.update_keys(forge.jwks(), now=NOW)
    verifier.trust.update_status_list(IN_FORCE, now=NOW)
    raw = forge.token()
    assert [code(raw, verifier, now=NOW + age) for age in (0, 100, 101)] == [
        "accepted",
        "accepted",
        "keys_unavailable",
    ]
    verifier.trust.update_keys(forge.jwks(), now=NOW + 50)
    assert [code(raw, verifier, now=NOW + age) for age in (150, 151)] == ["accepted", "keys_unavailable"]
    verifier.close()
    assert notes.made


def test_closing_with_fixed_trust_changes_nothing() -> None:
    with forge.verifier() as it:
        pass
    it.close()
    assert code(forge.token(), it) == "accepted"


def test_fixed_keys_do_not_age() -> None:
    verifier = forge.verifier(forge.status_list(exp=NOW * 2), max_keys_age=1)
    later = NOW + 10**8
    assert code(forge.token(iat=later, exp=later + 60), verifier, now=later) == "accepted"
