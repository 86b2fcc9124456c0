"""Checking the audit chain."""

from sqlmodel import Session, select

from issuer.store.database import chain_hash
from issuer.store.tables import AuditRow


def first_broken_link(session: Session) -> int | None:
    """The number of the first row that was changed or put in, or before which some were removed.

    None if the chain holds. Rows cut off its end leave no trace in it.
    """
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
