"""Jobs: those that one may look at; each can be labelled anew and ended."""

from __future__ import annotations

from starlette.responses import Response

from issuer.api import jobs
from issuer.api.jobs import JobQuery, NewLabels
from issuer.browser import see_other
from issuer.console import forms, listing
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field

LIST, ONE = "/jobs", "/jobs/{job}"


async def get_jobs(person: Person) -> Response:
    listed = await listing.of(person, jobs.list_all, JobQuery, "state")
    return person.page("jobs.html", listed=listed, wrong=listed.wrong)


async def get_job(person: Person) -> Response:
    return await _page(person)


async def post_labels(person: Person) -> Response:
    await person.see(jobs.get)
    try:
        labels = forms.labels(person.form.get("labels", ""))
        await person.do(jobs.label, forms.read(NewLabels, {"labels": labels}))
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(ONE.format(**person.parameters))


async def post_end(person: Person) -> Response:
    await person.see(jobs.get)
    try:
        await person.do(jobs.end)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(ONE.format(**person.parameters))


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    job, version = await person.see_version(jobs.get)
    editing = forms.editing(person.form, {"labels": forms.written_labels(job.labels)}, wrong)
    return person.page(
        "job.html",
        job=job,
        version=version,
        filled=editing.filled,
        was=editing.was,
        wrong=editing.wrong,
        may_label=person.caller.scope.covers("job:label", job.id, job.labels),
        may_end=person.caller.scope.covers("job:end", job.id, job.labels),
    )


ROWS = (
    room_row("GET", LIST, get_jobs),
    room_row("GET", ONE, get_job),
    room_row("POST", f"{ONE}/labels", post_labels),
    room_row("POST", f"{ONE}/end", post_end),
)
