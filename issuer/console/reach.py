"""What resources and label selectors reach at this moment, of the jobs and apps that the user may look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from issuer.api import apps, jobs
from issuer.api.jobs import JobQuery
from issuer.api.query import PageQuery
from issuer.console.person import Person
from issuer.presets import targets

_ANY = "any:any"
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Reach:
    """How many there are now. What comes later is reached too."""

    jobs: int
    apps: int
    is_cut_off: bool
    """There are more than were looked at."""


async def of(person: Person, resources: Iterable[str], selectors: Iterable[str]) -> Reach:
    """Raises UnusablePresets."""
    wanted = targets(resources, selectors)
    running = await person.see_all(jobs.list_all, JobQuery(state="running"), most=_MOST)
    known = await person.see_all(apps.list_all, PageQuery(), most=_MOST)
    return Reach(
        jobs=sum(any(each.covers(_ANY, job.id, job.labels) for each in wanted) for job in running),
        apps=sum(any(each.covers(_ANY, app.name, app.labels) for each in wanted) for app in known),
        is_cut_off=_MOST in (len(running), len(known)),
    )
