"""What is left of a key that was deleted: what was made with it lives on, and may have to be ended too."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import Response

from issuer.browser import see_other
from issuer.console.person import Person
from issuer.store.trust_policies import TRUST_PREFIX
from keys.secret import ROLE_KEY_PREFIX

_KINDS = {ROLE_KEY_PREFIX: "Role key", TRUST_PREFIX: "Outside identity", "job_": "Job"}
"""By how their ids begin."""


def show(person: Person, name: str, made: Iterable[str], *, room: str, back: str) -> Response:
    """Leads `back`, behind a page that names what was made with it if anything was."""
    living = [(_kind(each), each) for each in made]
    if not living:
        return see_other(back)
    return person.page("deleted.html", name=name, living=living, room=room, back=back)


def _kind(made: str) -> str:
    return next((kind for prefix, kind in _KINDS.items() if made.startswith(prefix)), "App")
