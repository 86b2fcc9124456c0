"""Checking the audit chain."""

from sqlmodel import Session, select

from issuer.store.database import chain_hash
from issuer.store.tables import AuditRow


def first_broken_link(session: Session) -> int | None:
    """The number of the first row that was changed, removed or put in; None if the chain holds."""
    previous_number, previous_hash = 0, ""
    for row in session.exec(select(AuditRow).order_by(AuditRow.number)):  # type: ignore[arg-type]
        if (
            row.number != previous_number + 1
            or row.previous_hash != previous_hash
            or row.hash != chain_hash(row)
        ):
            return row.number
        previous_number, previous_hash = row.number, row.hash
    return None
