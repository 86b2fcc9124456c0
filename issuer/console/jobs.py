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
from issuer.denials import wrong_field
from verifier.labels import RESERVED

LIST, ONE = "/jobs", "/jobs/{job}"


async def get_jobs(visit: Visit) -> Response:
    listed = await listing.of(visit, jobs.list_all, JobQuery, "state")
    return visit.page("jobs.html", status=400 if listed.wrong else 200, listed=listed, wrong=listed.wrong)


async def get_job(visit: Visit) -> Response:
    return await _page(visit, {})


async def post_labels(visit: Visit) -> Response:
    await visit.see(jobs.get)
    try:
        labels = _labels(visit.form.get("labels", ""))
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


def _labels(text: str) -> dict[str, str]:
    """From `name=value`, one a line or with spaces between. Raises Denial."""
    labels: dict[str, str] = {}
    for part in text.split():
        name, joint, value = part.partition("=")
        if not joint or name in labels:
            raise wrong_field("labels", f"{part[:100]!r}: write name=value, each name once")
        labels[name] = value
    return labels


async def _page(visit: Visit, wrong: Mapping[str, str]) -> Response:
    job = await visit.see(jobs.get)
    own = {name: value for name, value in job.labels.items() if not name.startswith(RESERVED)}
    written = "\n".join(f"{name}={value}" for name, value in own.items())
    return visit.page(
        "job.html",
        status=400 if wrong else 200,
        job=job,
        filled=visit.form or {"labels": written},
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
