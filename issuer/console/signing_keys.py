"""The signing keys on a line of time: next, current, retiring; and having the next one sign early."""

from __future__ import annotations

import time

from starlette.responses import Response

from issuer.api import signing_keys
from issuer.api.signing_keys import Rotation
from issuer.browser import see_other
from issuer.console import forms, timeline
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field

PATH = "/signing-keys"
_TITLES = {
    "tokens": "Tokens and status lists",
    "registry": "Tokens for docker registries",
    "registry-ca": "The authority that docker registries trust",
}
"""Of the rings; the others are ID tokens by an algorithm of their own."""


async def get_keys(person: Person) -> Response:
    return await _page(person)


async def post_rotate(person: Person) -> Response:
    try:
        await person.do(signing_keys.rotate, forms.read(Rotation, forms.given(person.form, "ring")))
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(PATH)


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    found = await person.see(signing_keys.list_all)
    rings = sorted({key.ring for key in found.items}, key=lambda ring: (ring != "tokens", ring))
    return person.page(
        "signing_keys.html",
        titles=_TITLES,
        keys=list(reversed(found.items)),
        timelines=[
            (ring, timeline.of([key for key in found.items if key.ring == ring], int(time.time())))
            for ring in rings
        ],
        wrong=wrong,
    )


ROWS = (
    room_row("GET", PATH, get_keys),
    room_row("POST", f"{PATH}/rotate", post_rotate, is_proof_needed=True),
)
