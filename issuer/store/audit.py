"""Reading the audit log, and checking its chain."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from issuer.store.database import chain_hash
from issuer.store.tables import AuditRow

_BATCH = 500
"""Rows in memory at once, however long the chain is."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found when the whole chain was checked."""

    rows: int
    head_hash: str | None
    """Of the newest row; None without any. Kept elsewhere, it shows later whether rows were cut off."""
    first_broken: int | None
    """The number of the first row that was changed or put in, or before which some were removed.

    None if the chain holds. Rows cut off its end leave no trace in it.
    """


def check_chain(session: Session) -> Chain:
    """Reads every row, in the one snapshot of the session."""
    rows, number, head_hash, first_broken = 0, 0, "", None
    every = select(AuditRow).order_by(col(AuditRow.number)).execution_options(yield_per=_BATCH)
    for row in session.exec(every):
        holds = row.number == number + 1 and row.previous_hash == head_hash and row.hash == chain_hash(row)
        if not holds and first_broken is None:
            first_broken = row.number
        rows, number, head_hash = rows + 1, row.number, row.hash
    return Chain(rows, head_hash or None, first_broken)


def list_rows(
    session: Session,
    *,
    before: int | None,
    limit: int,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    client_id: str | None = None,
    access: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[AuditRow]:
    """The newest first, from before number `before` on; of times from `since` to before `until`.

    access: of the one role key that they are about.
    """
    wanted = (
        (AuditRow.actor, actor),
        (AuditRow.action, action),
        (AuditRow.target, target),
        (AuditRow.client_id, client_id),
    )
    conditions: list[ColumnElement[bool] | bool] = [
        column == value for column, value in wanted if value is not None
    ]
    if access is not None:
        # As json.dumps wrote it: no other member, and no text in one, can look like this.
        conditions.append(col(AuditRow.detail).contains(f'"access": "{access}"', autoescape=True))
    if before is not None:
        conditions.append(AuditRow.number < before)
    if since is not None:
        conditions.append(AuditRow.at >= since)
    if until is not None:
        conditions.append(AuditRow.at < until)
    return list(
        session.exec(select(AuditRow).where(*conditions).order_by(col(AuditRow.number).desc()).limit(limit))
    )
