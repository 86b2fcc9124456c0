"""Hygiene: keys that are worth a look, each with what is found about it and the way to its page."""

from __future__ import annotations

from starlette.responses import Response

from issuer.api import hygiene
from issuer.api.hygiene import FindingQuery, FoundKey
from issuer.console import listing
from issuer.console.person import Person, room_row

PATH = "/hygiene"
FINDINGS = {
    "unused": f"not exchanged for {hygiene.UNUSED_DAYS} days",
    "never_expires": "never expires",
    "broad": "reaches everything of a kind",
}


async def get_hygiene(person: Person) -> Response:
    listed = await listing.of(person, hygiene.list_all, FindingQuery, "finding")
    return person.page(
        "hygiene.html",
        listed=listed,
        wrong=listed.wrong,
        findings=FINDINGS,
        page_of=_page_of,
    )


def _page_of(key: FoundKey) -> str:
    """An API token is in a room of its own, whoever owns it; a plain role key is in that of its owner."""
    if key.is_api_token:
        return f"/tokens/{key.access}"
    kind, _, name = key.owner.partition(":")
    return f"/{kind}s/{name}/keys/{key.access}"


ROWS = (room_row("GET", PATH, get_hygiene),)
