"""Trust policies of a role: make, list, delete; try a token, and look over what is meant to be made."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field
from sqlmodel import Session

from issuer import rfc3339
from issuer.api import trust_clauses
from issuer.api.operation import Answer, Body, Call, Operation
from issuer.api.query import Page, PageQuery, page_of
from issuer.api.trust_clauses import TrustClauses, TrustFinding
from issuer.api.worded import ONE_LINE
from issuer.denials import Denial, wrong_field
from issuer.outside import verdict
from issuer.outside.finding import Finding
from issuer.outside.policy import TrustPolicy as Clauses
from issuer.outside.token import OutsideToken
from issuer.store import principals, trust_policies
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import TrustPolicyRow
from verifier import TokenError


class NewTrustPolicy(TrustClauses):
    description: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"), ONE_LINE] = ""


class TokenToTry(Body):
    token: Annotated[str, Field(max_length=16384)] = Field(repr=False)


class TrustPolicy(Answer):
    id: str
    role: str
    issuer: str | None
    issuer_pattern: str | None
    subject: str | None
    subject_pattern: str | None
    audience: str
    claims: dict[str, str]
    claim_patterns: dict[str, str]
    description: str
    created_at: rfc3339.Written
    created_by: str
    findings: list[TrustFinding]


class DeletedTrustPolicy(Answer):
    deleted: str


class TrustCheck(Answer):
    """What became of one clause."""

    policy: str
    clause: str
    outcome: Literal["holds", "fails", "unchecked"]
    expected: str
    found: str
    reason: str


class TrustVerdict(Answer):
    role: str
    accepted: bool
    by: str | None
    """The policy that takes the token."""
    checks: list[TrustCheck]
    """Every clause of every policy."""


class TrustFindings(Answer):
    role: str
    findings: list[TrustFinding]


async def create(call: Call) -> TrustPolicy:
    """Whoever the policy takes is the role from now on: only who may assume it makes one."""
    name, body = call.path("role"), call.body
    call.caller.require("role-trust:create", name)
    call.caller.require("role:assume", name)
    call.caller.require_services()
    clauses, findings = trust_clauses.look_over(call)
    if clauses is None or _is_dangerous(findings):
        raise _dangerous(findings)
    found = await trust_clauses.where_it_leads(call, clauses)
    if _is_dangerous(found):
        raise _dangerous(found)

    def work(tx: Transaction) -> TrustPolicyRow:
        role = principals.get(tx.session, ROLE_PREFIX + name)
        row = trust_policies.create(tx, role, clauses=str(clauses), description=body.description)
        tx.session.expunge(row)
        return row

    made = _policy(call, name, await call.change(work))
    made.findings += trust_clauses.shown(found)
    return made


async def list_of_role(call: Call) -> Page[TrustPolicy]:
    name, query = call.path("role"), call.query
    call.caller.require("role:get", name)

    def work(session: Session) -> Page[TrustPolicy]:
        rows = trust_policies.of_role(session, principals.get(session, ROLE_PREFIX + name))
        shown = sorted((_policy(call, name, row) for row in rows), key=lambda policy: policy.id)
        rest = [policy for policy in shown if policy.id > query.cursor][: query.limit + 1]
        return page_of(rest, query.limit, lambda policy: policy.id)

    return await call.read(work)


async def delete(call: Call) -> DeletedTrustPolicy:
    """Every token that was issued by it ends. Again it does nothing."""
    name, policy_id = call.path("role"), call.path("trust")
    call.caller.require("role-trust:delete", name)

    def work(tx: Transaction) -> DeletedTrustPolicy:
        role = principals.find(tx.session, ROLE_PREFIX + name)
        if role is not None:
            trust_policies.delete(tx, role, policy_id)
        return DeletedTrustPolicy(deleted=policy_id)

    return await call.change(work)


async def test(call: Call) -> TrustVerdict:
    """What would become of a token, clause by clause."""
    name = call.path("role")
    call.caller.require("role:get", name)
    await call.read(lambda session: principals.get(session, ROLE_PREFIX + name).id)
    try:
        token = OutsideToken.parse(call.body.token)
    except TokenError as error:
        raise wrong_field("token", error.detail) from None
    known = await call.service.trust_policies.of_role(ROLE_PREFIX + name)
    issuers, policies = call.service.outside_issuers, [each.clauses for each in known]
    signature = await verdict.check_signature(issuers, policies, token, time.time())
    now = time.time()
    judged = [(each.grant.client_id, verdict.judge(each.clauses, token, signature, now)) for each in known]
    by = next((policy for policy, checks in judged if verdict.is_taken(checks)), None)
    shown = [
        TrustCheck(
            policy=policy,
            clause=check.clause,
            outcome=check.outcome,
            expected=check.expected,
            found=check.found,
            reason=check.reason,
        )
        for policy, checks in judged
        for check in checks
    ]
    return TrustVerdict(role=name, accepted=by is not None, by=by, checks=shown)


async def lint_draft(call: Call) -> TrustFindings:
    """What is wrong with clauses, before they are made a policy."""
    name = call.path("role")
    call.caller.require("role-trust:create", name)
    await call.read(lambda session: principals.get(session, ROLE_PREFIX + name).id)
    clauses, findings = trust_clauses.look_over(call)
    if clauses is not None and not _is_dangerous(findings):
        findings = sorted(
            [*findings, *await trust_clauses.where_it_leads(call, clauses)], key=lambda each: each.level
        )
    return TrustFindings(role=name, findings=trust_clauses.shown(findings))


def _is_dangerous(findings: list[Finding]) -> bool:
    return any(finding.level == "danger" for finding in findings)


def _dangerous(findings: list[Finding]) -> Denial:
    errors = [
        {"field": each.clause, "message": f"{each.why}. Instead: {each.instead}"}
        for each in findings
        if each.level == "danger"
    ]
    summary = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    return Denial("invalid_field", summary, errors=errors)


def _policy(call: Call, role: str, row: TrustPolicyRow) -> TrustPolicy:
    clauses = Clauses.parse(row.clauses)
    return TrustPolicy(
        **clauses.to_members(),
        id=row.id,
        role=role,
        description=row.description,
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
        findings=trust_clauses.shown(trust_clauses.findings(call, clauses)),
    )


_ALL = "/v1/roles/{role}/trust"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Trust outside identities",
        permission="role-trust:create@ROLE",
        handler=create,
        body=NewTrustPolicy,
        answer=TrustPolicy,
        status=201,
        refusals=("not_found", "conflict", "not_permitted"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List trust policies",
        permission="role:get@ROLE",
        handler=list_of_role,
        query=PageQuery,
        answer=Page[TrustPolicy],
        refusals=("not_found",),
    ),
    Operation(
        method="POST",
        path=_ALL + "/test",
        summary="Try an outside token",
        permission="role:get@ROLE",
        handler=test,
        body=TokenToTry,
        answer=TrustVerdict,
        refusals=("not_found",),
    ),
    Operation(
        method="POST",
        path=_ALL + "/lint",
        summary="What is wrong with clauses",
        permission="role-trust:create@ROLE",
        handler=lint_draft,
        body=TrustClauses,
        answer=TrustFindings,
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{trust}",
        summary="Delete a trust policy, with its tokens",
        permission="role-trust:delete@ROLE",
        handler=delete,
        answer=DeletedTrustPolicy,
    ),
)
