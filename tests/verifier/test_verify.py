"""The verifier's list of checks: each one alone, with its exact code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier import forge
from tests.verifier.forge import AUDIENCE, EXP, INDEX, ISSUER, LIST_URI, NOW, verdict
from verifier import Verifier
from verifier.trust import ISSUED_ALGORITHMS


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
    ("changes", "expected"),
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
def test_claims(changes: dict[str, Any], expected: str) -> None:
    assert verdict(forge.token(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
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
def test_headers(changes: dict[str, Any], expected: str) -> None:
    assert verdict(forge.with_header(**changes)) == expected


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
    assert verdict(forge.with_payload(payload)) == "malformed"


def test_an_infinite_number_is_no_time() -> None:
    payload = json.dumps(forge.claims()).replace(str(EXP), "1e999").encode()
    assert verdict(forge.with_payload(payload)) == "invalid_claim"


def test_the_signature_is_checked_before_the_claims_are_read() -> None:
    raw = forge.compact(
        json.dumps({"alg": "ES256", "kid": forge.key().kid, "typ": "at+jwt"}).encode(),
        b"not even JSON",
        forge.key(owner="evil"),
    )
    assert verdict(raw) == "bad_signature"


@pytest.mark.parametrize(
    "raw", [None, 7, 1.5, True, b"a.b.c", [], {}, ["a"], {"a": 1}, {1}, object(), "", "a.b", "\ud800"]
)
def test_what_is_no_token_is_malformed(raw: Any) -> None:
    assert verdict(raw) == "malformed"


def test_bytes_of_a_good_token_are_no_token() -> None:
    raw = forge.token()
    verifier = forge.verifier()
    assert verdict(raw, verifier) == "accepted"
    assert verdict(raw.encode(), verifier) == "malformed"


@given(st.text() | st.binary() | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_nothing_but_a_token_error_escapes(raw: Any) -> None:
    assert verdict(raw) == "malformed"


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
    assert verdict(forge.token(**changes))
