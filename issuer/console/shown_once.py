"""A secret in the answer to the form that made it: shown, copied, downloaded, and never to be found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response

from issuer.console.person import Person, room_row
from issuer.denials import Denial
from keys import MalformedRoleKey, RoleKey

_DOWNLOAD = "/tokens/env"
_FILE = "hourmark.env"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told of a key beside its secret."""

    title: str
    what: str
    """What people call it: API token, role key."""
    secret: str = field(repr=False)
    """`access:secret`."""
    expires_at: str | None
    page: str
    """Where it is looked at from now on."""
    room: str
    audiences: Sequence[str] = ()
    """The services that it is for; () for all."""


def show(person: Person, shown: Shown) -> Response:
    """The page with the secret: the answer to a form, so that no address leads to it again."""
    settings = person.service.settings
    return person.page(
        "key_shown.html",
        shown=shown,
        download=_DOWNLOAD,
        issuer_url=settings.issuer_url,
        service=next(_of(shown, settings.audiences), None),
        registries=list(_of(shown, settings.registry_services)),
    )


def _of(shown: Shown, known: Iterable[str]) -> Iterator[str]:
    """Those of the known services that it is for."""
    return (each for each in known if not shown.audiences or each in shown.audiences)


async def post_env(person: Person) -> Response:
    """The secret comes from the page that shows it: it is kept nowhere else. Raises Denial."""
    try:
        key = RoleKey.parse(person.form.get("secret", ""))
    except MalformedRoleKey as error:
        raise Denial("invalid_request", "that is no API token") from error
    text = f"HOURMARK_URL={person.service.settings.issuer_url}\nHOURMARK_TOKEN={key.reveal()}\n"
    headers = {
        "Content-Disposition": f'attachment; filename="{_FILE}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(text, headers=headers, media_type="text/plain")


ROWS = (room_row("POST", _DOWNLOAD, post_env),)
