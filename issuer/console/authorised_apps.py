"""Authorised apps: what one let apps do, each in plain words, and taken back."""

from __future__ import annotations

from starlette.responses import Response

from issuer import plain_words
from issuer.api import consents
from issuer.api.consents import Consent, ConsentQuery, Whose
from issuer.browser import see_other
from issuer.console import listing
from issuer.console.person import Person, room_row
from verifier import Scope

PATH = "/authorised-apps"
_MOST = 1000


async def get_apps(person: Person) -> Response:
    found = await person.see_all(consents.list_of_user, ConsentQuery(), most=_MOST)
    lifetime = person.service.settings.session_lifetime
    shown = listing.newest_of(found, person, "apps")
    return person.page(
        "authorised_apps.html", apps=shown, may_do={each.id: _may(each, lifetime) for each in shown.items}
    )


async def post_withdraw(person: Person) -> Response:
    await person.do(consents.withdraw, query=Whose())
    return see_other(PATH)


def _may(consent: Consent, session_lifetime: int) -> list[str]:
    """In plain words."""
    scope = Scope.parse(consent.scope)
    protocol = (plain_words.of_word(word, session_lifetime) for word in scope.words)
    return [*map(plain_words.of_permission, scope.permissions), *protocol]


ROWS = (
    room_row("GET", PATH, get_apps),
    room_row("POST", f"{PATH}/{{consent}}/withdraw", post_withdraw),
)
