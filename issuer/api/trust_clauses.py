"""What a request says of a trust policy's clauses, and what is wrong with them."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field

from issuer.api.operation import Answer, Body, Call
from issuer.denials import wrong_field
from issuer.outside import lint
from issuer.outside.address import RefusedAddress
from issuer.outside.finding import Finding
from issuer.outside.policy import TrustPolicy
from verifier import Unavailable

_MAX_CLAIMS = 20
Text = Annotated[str, Field(max_length=lint.MAX_TEXT)]
Claims = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=200)], Text], Field(max_length=_MAX_CLAIMS)
]


class TrustClauses(Body):
    """What a token has to be to become the role."""

    issuer: Text | None = None
    """The `iss` of the tokens, letter by letter; this or a pattern."""
    issuer_pattern: Text | None = None
    """`*` is one or more characters of one segment: it crosses neither `/` nor `:`."""
    subject: Text | None = None
    """The `sub`, letter by letter; this or a pattern."""
    subject_pattern: Text | None = None
    audience: Text | None = None
    """What `aud` must name; by default this issuer's URL."""
    claims: Claims = Field(default_factory=dict)
    """By name, or by JSON Pointer (RFC 6901), which begins with `/`: the text that it must be."""
    claim_patterns: Claims = Field(default_factory=dict)


class TrustFinding(Answer):
    """What is wrong with a policy."""

    level: Literal["danger", "doubt"]
    clause: str
    why: str
    instead: str


def look_over(call: Call) -> tuple[TrustPolicy | None, list[Finding]]:
    """The clauses, None if one is no pattern, and all that is wrong with them. Raises Denial."""
    body, service = call.body, call.service
    members = body.model_dump(exclude={"description"})
    for name in ("issuer", "subject"):
        if members[name] is not None and members[f"{name}_pattern"] is not None:
            raise wrong_field(name, f"write {name} or {name}_pattern, not both")
    if twice := body.claims.keys() & body.claim_patterns.keys():
        raise wrong_field("claim_patterns", f"{min(twice)!r} is among claims too: write one of both")
    patterns = {f"claim {name}": text for name, text in body.claim_patterns.items()}
    patterns |= {"issuer": body.issuer_pattern, "subject": body.subject_pattern}
    if found := lint.crossing(patterns):
        return None, found
    members["audience"] = service.settings.issuer_url if body.audience is None else body.audience
    clauses = TrustPolicy.from_members(members)
    return clauses, findings(call, clauses)


def findings(call: Call, clauses: TrustPolicy) -> list[Finding]:
    return lint.lint(clauses, call.service.outside_issuers.addresses, call.service.settings.issuer_url)


def shown(findings: list[Finding]) -> list[TrustFinding]:
    return [
        TrustFinding(level=each.level, clause=each.clause, why=each.why, instead=each.instead)
        for each in findings
    ]


async def where_it_leads(call: Call, clauses: TrustPolicy) -> list[Finding]:
    """What asking its issuer shows: a danger if it may not be there, a doubt if it gives no keys now."""
    issuers, issuer = call.service.outside_issuers, clauses.issuer
    if issuer is None:
        return []
    try:
        if issuer.is_pattern:
            await issuers.check_name(issuer.text)
        else:
            await issuers.check_reachable(issuer.text, time.time())
    except RefusedAddress as error:
        return [Finding("danger", "issuer", "no issuer can be trusted where it leads", str(error))]
    except Unavailable as error:
        instead = "check the URL, and whether this service reaches it; until then no token is taken"
        return [Finding("doubt", "issuer", error.detail, instead)]
    return []
