"""What resources and label selectors reach at this moment, of the jobs and apps that the user may look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from issuer.api import apps, jobs
from issuer.api.jobs import JobQuery
from issuer.api.query import PageQuery
from issuer.console.person import Person
from issuer.presets import nouns, targets
from verifier import Permission

_ANY = "any:any"
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Reach:
    """How many there are now. What comes later is reached too."""

    jobs: int | None
    apps: int | None
    """None where what it is for is not about these."""
    is_cut_off: bool
    """There are more than were looked at."""


async def of(
    person: Person, chosen: Iterable[str], resources: Iterable[str], selectors: Iterable[str]
) -> Reach:
    """chosen: presets. Raises UnusablePresets."""
    wanted, about = targets(resources, selectors), nouns(person.service.settings.presets, chosen)
    running = known = None
    if about & {"job", "*"}:
        running = await person.see_all(jobs.list_all, JobQuery(state="running"), most=_MOST)
    if about & {"app", "*"}:
        known = await person.see_all(apps.list_all, PageQuery(), most=_MOST)
    return Reach(
        jobs=None if running is None else _covered(wanted, [(job.id, job.labels) for job in running]),
        apps=None if known is None else _covered(wanted, [(app.name, app.labels) for app in known]),
        is_cut_off=_MOST in (len(running or ()), len(known or ())),
    )


def _covered(wanted: Iterable[Permission], things: Iterable[tuple[str, Mapping[str, str]]]) -> int:
    return sum(any(each.covers(_ANY, name, labels) for each in wanted) for name, labels in things)
