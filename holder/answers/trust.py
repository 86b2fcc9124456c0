"""Which outside tokens become a role, and why not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFinding:
    """What is wrong with a trust policy."""

    level: str
    """`danger`, which is never made, or `doubt`."""
    clause: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Which tokens of an outside issuer become a role."""

    id: str
    role: str
    issuer: str | None = None
    issuer_pattern: str | None = None
    subject: str | None = None
    subject_pattern: str | None = None
    audience: str
    claims: dict[str, str]
    claim_patterns: dict[str, str]
    description: str = ""
    created_at: str
    created_by: str
    findings: list[TrustFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTrustPolicy:
    """The id of a trust policy that is gone."""

    deleted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCheck:
    """What became of one clause of a policy."""

    policy: str
    clause: str
    outcome: str
    """`holds`, `fails` or `unchecked`."""
    expected: str = ""
    found: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustVerdict:
    """Whether a role takes a token, and by which policy."""

    role: str
    accepted: bool
    by: str | None = None
    checks: list[TrustCheck]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFindings:
    """What is wrong with clauses that are no policy yet."""

    role: str
    findings: list[TrustFinding]
