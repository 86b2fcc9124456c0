"""The audit log: who changed what, filtered; and whether its chain holds."""

from __future__ import annotations

from starlette.responses import Response

from issuer.api import audit
from issuer.api.audit import AuditQuery
from issuer.console import listing
from issuer.console.person import Person, room_row

PATH = "/audit"
_FILTERS = ("actor", "client_id", "action", "target", "since", "until")


async def get_audit(person: Person) -> Response:
    """`check=chain` looks at the whole chain too, which takes its time when it is long."""
    listed = await listing.of(person, audit.list_all, AuditQuery, *_FILTERS)
    is_checked = person.query.get("check") == "chain"
    return person.page(
        "audit.html",
        listed=listed,
        wrong=listed.wrong,
        chain=await person.see(audit.check) if is_checked else None,
    )


ROWS = (room_row("GET", PATH, get_audit),)
