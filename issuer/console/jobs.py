"""Jobs: those that one may look at; each can be labelled anew and ended."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from issuer.api import jobs
from issuer.api.jobs import JobQuery, NewLabels
from issuer.console import forms, listing
from issuer.console.pages import see_other
from issuer.console.refusals import REFUSALS, by_field
from issuer.console.visit import Visit, room_row

LIST, ONE = "/jobs", "/jobs/{job}"


async def get_jobs(visit: Visit) -> Response:
    listed = await listing.of(visit, jobs.list_all, JobQuery, "state")
    return visit.page("jobs.html", status=400 if listed.wrong else 200, listed=listed, wrong=listed.wrong)


async def get_job(visit: Visit) -> Response:
    return await _page(visit, {})


async def post_labels(visit: Visit) -> Response:
    await visit.see(jobs.get)
    try:
        labels = forms.labels(visit.form.get("labels", ""))
        await visit.do(jobs.label, forms.read(NewLabels, {"labels": labels}))
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(ONE.format(**visit.parameters))


async def post_end(visit: Visit) -> Response:
    await visit.see(jobs.get)
    try:
        await visit.do(jobs.end)
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(ONE.format(**visit.parameters))


async def _page(visit: Visit, wrong: Mapping[str, str]) -> Response:
    job = await visit.see(jobs.get)
    return visit.page(
        "job.html",
        status=400 if wrong else 200,
        job=job,
        filled=visit.form or {"labels": forms.written_labels(job.labels)},
        wrong=wrong,
        may_label=visit.caller.scope.covers("job:label", job.id, job.labels),
        may_end=visit.caller.scope.covers("job:end", job.id, job.labels),
    )


ROWS = (
    room_row("GET", LIST, get_jobs),
    room_row("GET", ONE, get_job),
    room_row("POST", f"{ONE}/labels", post_labels),
    room_row("POST", f"{ONE}/end", post_end),
)
