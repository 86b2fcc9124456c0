"""The audit log: who changed what, and whether its chain holds."""

from __future__ import annotations

from typing import Any

import orjson
from anyio import CapacityLimiter
from sqlmodel import Session

from issuer import clients, rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.query import NumberedPageQuery, Page, Text, page_of
from issuer.store import audit
from issuer.store.tables import AuditRow

_PERMISSION = "audit:read@*"
_ONE_AT_A_TIME = CapacityLimiter(1)
"""A long chain costs seconds of a processor."""


class AuditQuery(NumberedPageQuery):
    actor: Text | None = None
    action: Text | None = None
    target: Text | None = None
    client_id: Text | None = None
    """Of the app that acted for whoever it was."""
    since: rfc3339.Read | None = None
    until: rfc3339.Read | None = None
    """Before this, not at it."""


class AuditEntry(Answer):
    number: int
    at: rfc3339.Written
    actor: str
    """Who did it, or for whom it was done."""
    client_id: str | None
    """The app that did it for them; None if they acted for themselves."""
    client_name: str | None
    """What people call that app, if it is there still."""
    action: str
    target: str
    detail: dict[str, Any]
    hash: str
    previous_hash: str


class AuditChain(Answer):
    holds: bool
    rows: int
    head_hash: str | None
    """Of the newest row. Rows cut off the end leave no trace but this: keep it elsewhere."""
    first_broken: int | None
    """The number of the first row that was changed or put in, or before which some were removed."""


async def list_all(call: Call) -> Page[AuditEntry]:
    """The newest first."""
    call.caller.require("audit:read", "*")
    query: AuditQuery = call.query

    def work(session: Session) -> Page[AuditEntry]:
        rows = audit.list_rows(
            session,
            before=query.cursor,
            limit=query.limit + 1,
            actor=query.actor,
            action=query.action,
            target=query.target,
            client_id=query.client_id,
            since=query.since,
            until=query.until,
        )
        return page_of([_entry(session, row) for row in rows], query.limit, lambda entry: str(entry.number))

    return await call.read(work)


async def check(call: Call) -> AuditChain:
    call.caller.require("audit:read", "*")

    def work(session: Session) -> AuditChain:
        chain = audit.check_chain(session)
        return AuditChain(
            holds=chain.first_broken is None,
            rows=chain.rows,
            head_hash=chain.head_hash,
            first_broken=chain.first_broken,
        )

    return await call.read(work, _ONE_AT_A_TIME)


def _entry(session: Session, row: AuditRow) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=rfc3339.write(row.at),
        actor=row.actor,
        client_id=row.client_id,
        client_name=None if row.client_id is None else clients.name_of(session, row.client_id),
        action=row.action,
        target=row.target,
        detail=orjson.loads(row.detail),
        hash=row.hash,
        previous_hash=row.previous_hash,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/audit",
        summary="List who changed what",
        permission=_PERMISSION,
        handler=list_all,
        query=AuditQuery,
        answer=Page[AuditEntry],
    ),
    Operation(
        method="GET",
        path="/v1/audit/chain",
        summary="Check the audit chain",
        permission=_PERMISSION,
        handler=check,
        answer=AuditChain,
    ),
)
