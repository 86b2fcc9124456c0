"""The corpus of trust policies: those that are never made, those that are doubtful, and good ones."""

from __future__ import annotations

from typing import Any

import pytest

from issuer.outside.address import Addresses
from issuer.outside.finding import Finding
from issuer.outside.lint import MAX_TEXT, lint
from issuer.outside.policy import TrustPolicy

OWN = "https://hourmark.example"
GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.example"
CLUSTER = "https://oidc.cluster.example/id/AB12"
UID = "/kubernetes.io/serviceaccount/uid"


def found(**members: Any) -> list[Finding]:
    given: dict[str, Any] = {
        "issuer": None,
        "issuer_pattern": None,
        "subject": None,
        "subject_pattern": None,
        "audience": OWN,
        "claims": {},
        "claim_patterns": {},
    }
    return lint(TrustPolicy.from_members(given | members), Addresses(), OWN)


GOOD: dict[str, dict[str, Any]] = {
    "a job of a repository, by its id": {
        "issuer": GITHUB,
        "subject": "repo:acme/app:environment:production",
        "claims": {"repository_id": "74"},
    },
    "every repository of an owner, by its id": {
        "issuer": GITHUB,
        "subject_pattern": "repo:acme/*:environment:production",
        "claims": {"repository_owner_id": "65"},
    },
    "a protected branch of a project": {
        "issuer": GITLAB,
        "subject": "project_path:acme/app:ref_type:branch:ref:main",
        "claims": {"project_id": "20", "ref_protected": "true"},
    },
    "a service account": {
        "issuer": CLUSTER,
        "subject": "system:serviceaccount:ml:train",
        "claims": {UID: "2f5c1e0a"},
    },
    "a subject that is an id": {
        "issuer": "https://login.example/",
        "subject": "00u1abcd",
        "audience": "hourmark",
    },
    "a role of another Hourmark": {"issuer": "https://other.example", "subject": "role:org.account.ci"},
    "names beside ids": {
        "issuer": GITHUB,
        "subject": "repo:acme/app:environment:production",
        "claims": {"repository": "acme/app", "repository_id": "74", "actor": "ada", "actor_id": "1"},
    },
    "roles of another Hourmark's account": {
        "issuer": "https://other.example",
        "subject_pattern": "role:org.account.*",
    },
    "a user of another Hourmark": {"issuer": "https://other.example", "subject": "user:ada"},
    "a protected branch of a repository": {
        "issuer": GITHUB,
        "subject": "repo:acme/app:ref:refs/heads/main",
        "claims": {"repository_id": "74", "job_workflow_ref": "acme/ci/.github/w.yml@refs/heads/main"},
    },
    "a shared workflow in every repository of an owner": {
        "issuer": GITHUB,
        "subject_pattern": "repo:acme/*:environment:production",
        "claims": {"repository_owner_id": "65", "environment": "production"},
        "claim_patterns": {"job_workflow_ref": "acme/ci/.github/workflows/*"},
    },
    "a composed subject with an id in it": {
        "issuer": GITHUB,
        "subject": "environment:production:repository_owner_id:65",
    },
    "every project of a group, on protected branches": {
        "issuer": GITLAB,
        "subject_pattern": "project_path:acme/*:ref_type:branch:ref:main",
        "claims": {"namespace_id": "7", "ref": "main", "ref_protected": "true"},
    },
    "a workload": {"issuer": "https://spire.example", "subject": "spiffe://example.org/ns/ml/sa/train"},
    "workloads of a namespace": {
        "issuer": "https://spire.example",
        "subject_pattern": "spiffe://example.org/ns/ml/sa/*",
    },
    "a client whose id has an @": {"issuer": "https://login.example/", "subject": "0oab12cd@clients"},
    "an id, and the groups that it is in": {
        "issuer": "https://login.example/",
        "subject": "00u1abcd",
        "claims": {"groups": "ops", "/realm_access/roles": "deploy"},
    },
    "names with ids": {
        "issuer": "https://login.example/",
        "subject": "ada@example.org",
        "claims": {"oid": "7b1f"},
    },
    "an e-mail beside the subject": {
        "issuer": "https://login.example",
        "subject": "00u1abcd",
        "claims": {"email": "ada@example.org"},
    },
}  # fmt: skip

DANGERS: list[tuple[dict[str, Any], str, str]] = [
    # What is written, the clause, and a part of why or of what to write instead.
    ({"issuer": GITHUB}, "subject", "it is missing"),
    ({"subject": "s"}, "issuer", "it is missing"),
    ({"audience": ""}, "audience", "it is missing"),
    ({"audience": None}, "audience", "it is missing"),
    ({"audience": "https://*"}, "audience", "no pattern"),
    ({"issuer": ""}, "issuer", "empty"),
    ({"subject": ""}, "subject", "empty"),
    ({"subject": "x" * (MAX_TEXT + 1)}, "subject", "too long"),
    ({"subject": "a\u202eb"}, "subject", "not printable"),
    ({"issuer": OWN}, "issuer", "this issuer itself"),
    ({"issuer": "http://ci.example"}, "issuer", "https"),
    ({"issuer": "https://10.0.0.1"}, "issuer", "no public address"),
    ({"issuer": "https://[::1]"}, "issuer", "no public address"),
    ({"issuer": "https://169.254.169.254"}, "issuer", "no public address"),
    ({"issuer": "https://a@ci.example"}, "issuer", "no user"),
    ({"issuer": "https://ci.example?x=1"}, "issuer", "query"),
    ({"issuer": "ci.example"}, "issuer", "spelt as in the `iss`"),
    ({"issuer_pattern": "https://*.ci.example"}, "issuer", "a * in its host"),
    ({"issuer_pattern": "https://*"}, "issuer", "a * in its host"),
    ({"issuer_pattern": "*://ci.example"}, "issuer", "a * in its host"),
    ({"issuer_pattern": "https://ci.example:*/x"}, "issuer", "a * in its host"),
    ({"issuer_pattern": "https://ci.example*/x"}, "issuer", "a * in its host"),
    ({"issuer_pattern": "https://ci.example/a|b"}, "issuer", "| is no choice"),
    ({"subject_pattern": "*"}, "subject", "every subject"),
    ({"subject_pattern": "*:*"}, "subject", "every subject"),
    ({"subject_pattern": "*/*:*"}, "subject", "every subject"),
    ({"subject_pattern": "repo:*"}, "subject", "names of others"),
    ({"subject_pattern": "repo:*/app:environment:prod"}, "subject", "names of others"),
    ({"subject_pattern": "repo:acme*/app:environment:prod"}, "subject", "names of others"),
    ({"subject_pattern": "project_path:*/app:ref_type:branch:ref:main"}, "subject", "names of others"),
    ({"subject_pattern": "user:*"}, "subject", "names of others"),
    ({"subject_pattern": "user:ci-*"}, "subject", "names of others"),
    ({"subject_pattern": "role:*"}, "subject", "names of others"),
    ({"subject_pattern": "role:.*"}, "subject", "names of others"),
    ({"subject_pattern": "role:org.(a|b).ci*"}, "subject", "regular expressions"),
    ({"subject_pattern": "role:org*.account.ci"}, "subject", "names of others"),
    ({"subject_pattern": "accounts:*"}, "subject", "of accounts:"),
    ({"subject_pattern": "client:*:*"}, "subject", "of client:"),
    ({"subject_pattern": "system:serviceaccount:*:*"}, "subject", "names of others"),
    ({"subject_pattern": "spiffe://*"}, "subject", "names of others"),
    ({"subject_pattern": "spiffe://*/ns/ml/sa/train"}, "subject", "names of others"),
    ({"subject_pattern": "spiffe://example.org/*"}, "subject", "below this host"),
    ({"subject_pattern": "spiffe://example.org/*/*"}, "subject", "below this host"),
    ({"subject_pattern": "https://ci.example/*/*/*"}, "subject", "below this host"),
    ({"subject": "environment:production"}, "subject", "not whose it is"),
    ({"subject": "ref:refs/heads/main"}, "subject", "not whose it is"),
    ({"subject_pattern": "workflow:*:environment:production"}, "subject", "not whose it is"),
    ({"subject_pattern": "organization:acm*:project:p:workspace:w"}, "subject", "names of others"),
    ({"subject_pattern": "repo:acme/app:ref:refs/heads/main|repo:evil/x"}, "subject", "| is no choice"),
    ({"subject_pattern": "^repo:acme/app:.*$"}, "subject", "regular expressions"),
    ({"subject_pattern": "repo:acme/app:.*"}, "subject", "regular expressions"),
    ({"subject_pattern": "repo:acme/(app|web):x"}, "subject", "regular expressions"),
    ({"subject_pattern": "repo:acme/[a-z]:x"}, "subject", "regular expressions"),
    ({"subject_pattern": "repo:acme/app:?"}, "subject", "regular expressions"),
    ({"subject_pattern": "repo:acme/{app,web}:x"}, "subject", "regular expressions"),
    ({"subject_pattern": "repo:acme/app\\:x"}, "subject", "regular expressions"),
    ({"claims": {"sub": "s"}}, "claim sub", "write subject"),
    ({"claims": {"iss": "s"}}, "claim iss", "write issuer"),
    ({"claim_patterns": {"aud": "s*"}}, "claim aud", "write audience"),
    ({"claims": {"exp": "1"}}, "claim exp", "leave it out"),
    ({"claims": {"a\nb": "1"}}, "claim", "not printable"),
    ({"claims": {"repository_id": ""}}, "claim repository_id", "empty"),
    ({"claim_patterns": {"ref": "*/*/*"}}, "claim ref", "every value"),
    ({"claim_patterns": {"ref": "a|b"}}, "claim ref", "| is no choice"),
]

DOUBTS: list[tuple[dict[str, Any], str, str]] = [
    ({"issuer_pattern": "https://oidc.example/id/*"}, "issuer", "every issuer that fits"),
    ({"issuer_pattern": GITHUB}, "issuer", "without *"),
    ({"subject": "repo:acme/app:environment:prod"}, "subject", "repository_id or repository_owner_id"),
    ({"subject": "project_path:acme/app:ref_type:branch:ref:main"}, "subject", "project_id"),
    ({"subject": "organization:acme:project:p:workspace:w:run_phase:apply"}, "subject", "terraform"),
    ({"subject": "system:serviceaccount:ml:train"}, "subject", UID),
    (
        {"subject_pattern": "system:serviceaccount:*:train", "claims": {UID: "u"}},
        "subject",
        "names of others",
    ),
    (
        {"subject_pattern": "system:serviceaccount:ml-*:train", "claims": {UID: "u"}},
        "subject",
        "names of others",
    ),
    ({"subject": "s*"}, "subject", "letter by letter"),
    ({"subject_pattern": "role:org"}, "subject", "without *"),
    ({"subject_pattern": "*:environment:prod"}, "subject", "it begins with *"),
    ({"subject_pattern": "*-ci:environment:prod"}, "subject", "it begins with *"),
    ({"claims": {"repository": "acme/app"}}, "claim repository", "add the claim repository_id"),
    ({"claims": {"repository_owner": "acme"}}, "claim repository_owner", "repository_owner_id"),
    ({"claims": {"actor": "ada"}}, "claim actor", "actor_id"),
    ({"claims": {"project_path": "acme/app"}}, "claim project_path", "project_id"),
    ({"claims": {"/kubernetes.io/namespace": "ml"}}, "claim /kubernetes.io/namespace", UID),
    ({"subject_pattern": "u-*", "claims": {"email": "a@b.example"}}, "claim email", "changed"),
    ({"claim_patterns": {"ref": "refs"}}, "claim ref", "without *"),
    ({"subject": "accounts:jane"}, "subject", "a name or an e-mail"),
    ({"subject": "jane@example.org"}, "subject", "a name or an e-mail"),
    ({"subject": "mailto:jane@example.org"}, "subject", "a name or an e-mail"),
    ({"subject_pattern": "team/*@example.org"}, "subject", "a name or an e-mail"),
    ({"issuer": "https://ghe.example", "subject": "environment:prod"}, "subject", "not whose it is"),
    ({"subject": "job_workflow_ref:acme/ci/w.yml@refs/heads/main"}, "subject", "repository_id"),
    ({"subject_pattern": "spiffe://x/ns/*/sa/train"}, "subject", "before the last segment"),
    ({"subject_pattern": "spiffe://x/*/*/sa/train"}, "subject", "before the last segment"),
]

DOUBTS += [
    # What a program runs for, or where somebody belongs, as all that tells apart what a pattern takes.
    (
        {"subject_pattern": "repo:acme/*:environment:x", "claims": {name: "x"}},
        f"claim {name}",
        "tells subjects",
    )
    for name in ("ref", "branch", "workflow", "job_workflow_ref", "environment", "groups", "event_name")
]
_REPOSITORY = {"claims": {"repository_id": "74"}}
DOUBTS += [
    ({"subject_pattern": f"repo:acme/app:{text}"} | _REPOSITORY, "subject", why)
    for text, why in (
        ("ref:refs/heads/*", "whoever may push"),
        ("ref:refs/tags/v*", "whoever may push"),
        ("*", "pull_request"),
    )
]


def _complete(members: dict[str, Any]) -> dict[str, Any]:
    """Good in all that `members` does not say."""
    issuer = {} if "issuer" in members or "issuer_pattern" in members else {"issuer": GITHUB}
    subject = {} if "subject" in members or "subject_pattern" in members else {"subject": "00u1abcd"}
    return issuer | subject | members


@pytest.mark.parametrize("name", GOOD)
def test_good_policies(name: str) -> None:
    assert found(**GOOD[name]) == []


@pytest.mark.parametrize(("members", "clause", "says"), DANGERS)
def test_dangerous_ones(members: dict[str, Any], clause: str, says: str) -> None:
    given = members if says == "it is missing" and clause != "audience" else _complete(members)
    first = found(**given)[0]
    assert (first.level, first.clause) == ("danger", clause)
    assert says in f"{first.why} {first.instead}"


@pytest.mark.parametrize(("members", "clause", "says"), DOUBTS)
def test_doubtful_ones(members: dict[str, Any], clause: str, says: str) -> None:
    findings = found(**_complete(members))
    assert {each.level for each in findings} == {"doubt"}
    assert any(each.clause == clause and says in f"{each.why} {each.instead}" for each in findings)


def test_dangers_come_first() -> None:
    levels = [each.level for each in found(subject_pattern="repo:acme/app:ref:refs/heads/*")]
    assert levels == ["danger", "doubt", "doubt"]
