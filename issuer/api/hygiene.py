"""What is worth a look: role keys that nobody uses, that never end, or that reach everything of a kind."""

from __future__ import annotations

import time
from typing import Literal

from sqlmodel import Session

from issuer import presets, rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.query import Page, PageQuery, page_of
from issuer.store import rights, role_keys
from issuer.store.tables import Principal, RoleKeyRow
from verifier import Scope

UNUSED_DAYS = 90
_BATCH = 500
Finding = Literal["unused", "never_expires", "broad"]


class FindingQuery(PageQuery):
    finding: Finding | None = None


class FoundKey(Answer):
    access: str
    owner: str
    """Whose it is: `user:NAME` or `role:NAME`."""
    name: str
    is_api_token: bool
    findings: list[Finding]
    """`unused` for 90 days, `never_expires`, `broad`: anything may be done with everything of a kind."""
    created_at: rfc3339.Written
    last_exchanged_at: rfc3339.Written | None
    expires_at: rfc3339.Written | None


async def list_all(call: Call) -> Page[FoundKey]:
    """Of all role keys, API tokens among them, those that the caller may list and that have a finding."""
    query, visible, now = call.query, call.caller.scope.names_for("role-key:list"), int(time.time())

    def work(session: Session) -> Page[FoundKey]:
        held: dict[int, Scope] = {}
        found: list[FoundKey] = []
        cursor = query.cursor
        while len(found) <= query.limit:
            rows = role_keys.list_all(session, after=cursor, limit=_BATCH, within=visible, now=now)
            for row, owner, is_api_token in rows:
                if owner.id not in held:
                    held[owner.id] = rights.held(session, owner)
                key = _found(row, owner, held[owner.id], now, is_api_token=is_api_token)
                if key.findings and query.finding in (None, *key.findings):
                    found.append(key)
            if len(rows) < _BATCH:
                break
            cursor = rows[-1][0].access
        return page_of(found[: query.limit + 1], query.limit, lambda key: key.access)

    return await call.read(work)


def _found(row: RoleKeyRow, owner: Principal, held: Scope, now: int, *, is_api_token: bool) -> FoundKey:
    scope = held if row.scope is None else Scope.parse(row.scope) & held
    findings: list[Finding] = []
    if max(row.last_exchanged_at or 0, row.created_at) <= now - UNUSED_DAYS * 86400:
        findings.append("unused")
    if row.expires_at is None:
        findings.append("never_expires")
    if presets.broad(scope):
        findings.append("broad")
    return FoundKey(
        access=row.access,
        owner=owner.name,
        name=row.name,
        is_api_token=is_api_token,
        findings=findings,
        created_at=rfc3339.write(row.created_at),
        last_exchanged_at=rfc3339.write_optional(row.last_exchanged_at),
        expires_at=rfc3339.write_optional(row.expires_at),
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/hygiene",
        summary="List role keys that are worth a look: unused, never expiring, broad",
        permission="role-key:list@PRINCIPAL-NAME",
        handler=list_all,
        query=FindingQuery,
        answer=Page[FoundKey],
    ),
)
