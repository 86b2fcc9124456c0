"""The clauses of a trust policy: all hold, or the token is not taken; one that is missing refuses."""

from __future__ import annotations

from typing import Any

import pytest

from issuer.outside.pattern import InvalidPattern
from issuer.outside.policy import Expected, TrustPolicy, find

ISSUER, AUDIENCE, SUBJECT = "https://ci.example", "https://hourmark.example", "repo:acme/app:environment:prod"
POD = {"namespace": "ml", "serviceaccount": {"name": "train", "uid": "u-1"}, "a/b~c": {"": "deep"}}
TOKEN: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": SUBJECT,
    "repository_id": "74",
    "project_id": 20,
    "protected": True,
    "ratio": 1.5,
    "groups": ["dev", "ops", ["nested"], {"name": "dict"}],
    "kubernetes.io": POD,
    "nothing": None,
}


def policy(**changes: Any) -> TrustPolicy:
    members: dict[str, Any] = {
        "issuer": ISSUER,
        "issuer_pattern": None,
        "subject": SUBJECT,
        "subject_pattern": None,
        "audience": AUDIENCE,
        "claims": {},
        "claim_patterns": {},
    }
    return TrustPolicy.from_members(members | changes)


def failed(tried: TrustPolicy, token: dict[str, Any]) -> list[str]:
    checks = [tried.check_issuer(token.get("iss", "")), *tried.check_claims(token)]
    assert all(check.reason for check in checks if check.outcome == "fails")
    return [check.clause for check in checks if check.outcome != "holds"]


TAKEN: list[dict[str, Any]] = [
    {},
    {"subject": None, "subject_pattern": "repo:acme/*:environment:prod"},
    {"issuer": None, "issuer_pattern": "https://ci.example"},
    {"claims": {"repository_id": "74", "project_id": "20", "protected": "true", "groups": "ops"}},
    {"claims": {"/kubernetes.io/serviceaccount/uid": "u-1", "/kubernetes.io/a~1b~0c/": "deep"}},
    {"claim_patterns": {"groups": "o*", "/kubernetes.io/namespace": "m*"}},
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"issuer": None}, "issuer"),
    ({"issuer": f"{ISSUER}/"}, "issuer"),
    ({"issuer": "https://CI.example"}, "issuer"),
    ({"issuer": None, "issuer_pattern": "https://ci.example/*"}, "issuer"),
    ({"subject": None}, "subject"),
    ({"subject": "repo:acme/app"}, "subject"),
    ({"subject": "repo:acme/*:environment:prod"}, "subject"),  # exact: the star is a letter
    ({"subject": None, "subject_pattern": "repo:*"}, "subject"),
    ({"audience": None}, "audience"),
    ({"audience": "https://hourmark"}, "audience"),
    ({"claims": {"repository_id": "7"}}, "claim repository_id"),
    ({"claims": {"protected": "True"}}, "claim protected"),
    ({"claims": {"ratio": "1.5"}}, "claim ratio"),
    ({"claims": {"groups": "nested"}}, "claim groups"),
    ({"claims": {"groups": "dict"}}, "claim groups"),
    ({"claims": {"nothing": "null"}}, "claim nothing"),
    ({"claims": {"nothing": ""}}, "claim nothing"),
    ({"claims": {"absent": "x"}}, "claim absent"),
    ({"claims": {"kubernetes.io": "ml"}}, "claim kubernetes.io"),
    ({"claims": {"/kubernetes.io/pod/uid": "x"}}, "claim /kubernetes.io/pod/uid"),
    ({"claims": {"/groups/0": "dev"}}, "claim /groups/0"),
    ({"claim_patterns": {"absent": "*"}}, "claim absent"),
]


@pytest.mark.parametrize("changes", TAKEN)
def test_what_is_taken(changes: dict[str, Any]) -> None:
    assert failed(policy(**changes), TOKEN) == []


@pytest.mark.parametrize(("changes", "clause"), REFUSED)
def test_what_is_refused_and_by_which_clause(changes: dict[str, Any], clause: str) -> None:
    assert failed(policy(**changes), TOKEN) == [clause]


@pytest.mark.parametrize(
    ("claims", "clauses"),
    [
        ({"aud": [AUDIENCE, "https://other.example"]}, []),
        ({"aud": ["https://other.example"]}, ["audience"]),
        ({"aud": []}, ["audience"]),
        ({"aud": {"x": AUDIENCE}}, ["audience"]),
        ({"aud": None}, ["audience"]),
        ({"sub": [SUBJECT]}, ["subject"]),
        ({"sub": ""}, ["subject"]),
        ({"sub": SUBJECT + "\n"}, ["subject"]),
        ({"sub": 1, "aud": "x"}, ["audience", "subject"]),
    ],
)
def test_what_a_token_may_say(claims: dict[str, Any], clauses: list[str]) -> None:
    assert failed(policy(), TOKEN | claims) == clauses


@pytest.mark.parametrize("changes", TAKEN)
def test_written_and_read_it_is_the_same(changes: dict[str, Any]) -> None:
    written = policy(**changes)
    assert TrustPolicy.parse(str(written)) == written
    assert TrustPolicy.from_members(written.to_members()) == written


def test_what_fails_is_shown_short() -> None:
    (check,) = (
        each for each in policy().check_claims(TOKEN | {"sub": "x" * 5000}) if each.clause == "subject"
    )
    assert (check.expected, len(check.found)) == (SUBJECT, 200)


def test_what_steers_a_terminal_is_not_shown() -> None:
    checks = {each.clause: each for each in policy().check_claims(TOKEN | {"sub": "a\x1b[2Jb\u202ec"})}
    assert checks["subject"].found == "a\ufffd[2Jb\ufffdc"


def test_a_pattern_is_no_exact_text() -> None:
    assert str(Expected.matching("a*")) == "pattern a*"
    assert Expected.matching("a") != Expected("a")
    with pytest.raises(InvalidPattern):
        policy(subject=None, subject_pattern="a**")


def test_a_pointer_leads_through_objects_alone() -> None:
    assert find({"a": {"b": "c"}}, "/a/b") == "c"
    assert find({"a": "b"}, "/a/b") is None
    assert find({"/a": "b"}, "/a") is None
