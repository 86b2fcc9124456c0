"""Whether somebody changed what is written about who changed what."""

from __future__ import annotations

from issuer.doctor.finding import Finding, failure, ok
from issuer.store.audit import check_chain
from issuer.store.database import Database


def check(database: Database) -> Finding:
    with database.read() as session:
        chain = check_chain(session)
    if chain.first_broken is not None:
        mend = "compare it with a backup: somebody has changed the table behind the service's back"
        return failure("audit", f"the audit chain is broken at row {chain.first_broken}", mend)
    return ok("audit", f"the chain of {chain.rows} rows holds")
