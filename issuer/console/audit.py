"""The audit log: who changed what, filtered; and whether its chain holds."""

from __future__ import annotations

from markupsafe import Markup, escape
from starlette.responses import Response

from issuer.api import audit
from issuer.api.audit import AuditQuery
from issuer.console import listing, long_names, moments
from issuer.console.expiry import GRACES
from issuer.console.person import Person, room_row

PATH = "/audit"
_TIMES = ("ends_at", "expires_at", "signs_from")
"""Members of a detail that are Unix seconds."""
_MOST_SHOWN = 300
_FILTERS = ("actor", "client_id", "action", "target", "since", "until")


def said(name: str, value: object) -> Markup:
    """A member of an entry's detail, as people read it."""
    if name in _TIMES and isinstance(value, int):
        return moments.moment(value)
    if name == "grace_seconds" and isinstance(value, int):
        return escape(GRACES.get(str(value), moments.distance(value)))
    if isinstance(value, dict):
        value = [f"{each}={text}" for each, text in value.items()]
    text = (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
    return long_names.breakable(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…")


async def get_audit(person: Person) -> Response:
    """`check=chain` looks at the whole chain too, which takes its time when it is long."""
    listed = await listing.of(person, audit.list_all, AuditQuery, *_FILTERS)
    is_checked = person.query.get("check") == "chain"
    return person.page(
        "audit.html",
        listed=listed,
        wrong=listed.wrong,
        said=said,
        chain=await person.see(audit.check) if is_checked else None,
    )


ROWS = (room_row("GET", PATH, get_audit),)
