"""Jobs: begin, list, look at, label, end. A ticket is in the answer that made it and nowhere else."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from sqlmodel import Session

from issuer import rfc3339
from issuer.api.display_names import DisplayName
from issuer.api.operation import Answer, Body, Call, Operation, Versioned
from issuer.api.query import Page, PageQuery, page_of
from issuer.denials import BearerDenial, wrong_field
from issuer.store import jobs, names, principals
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import JobRow, Principal
from keys import Handle, handle_hash
from keys.secret import random_text
from verifier import InsufficientScope, labels
from verifier.labels import InvalidLabel

_PREFIX, _CHARACTERS = "job_", 16
_BATCH = 500
_SHORTEST, _LONGEST = 60, 90 * 86400
Labels = Annotated[dict[str, str], Field(max_length=50)]


def _time_limit(seconds: int) -> int:
    if not _SHORTEST <= seconds <= _LONGEST:
        raise ValueError(f"a job lasts from a minute ({_SHORTEST} s) to 90 days ({_LONGEST} s)")
    return seconds


TimeLimit = Annotated[
    int,
    AfterValidator(_time_limit),
    WithJsonSchema({"type": "integer", "minimum": _SHORTEST, "maximum": _LONGEST}),
]


class NewJob(Body):
    role: str
    """What it runs as: `role:assume` is needed for it."""
    name: DisplayName = ""
    labels: Labels = Field(default_factory=dict)
    time_limit_seconds: TimeLimit = 86400


class NewLabels(Body):
    labels: Labels
    """All that it has from now on, but for those that the platform sets."""


class JobQuery(PageQuery):
    state: Literal["running", "ended"] | None = None


class Job(Answer):
    id: str
    role: str
    name: str
    labels: dict[str, str]
    state: Literal["running", "ended", "timed_out"]
    created_at: rfc3339.Written
    created_by: str
    ends_at: rfc3339.Written
    """Its time limit, or when it ended."""


class JobWithTicket(Job):
    ticket: str = Field(repr=False)


async def create(call: Call) -> JobWithTicket:
    """Made with a credential that reaches only some labels, it gets these labels."""
    body = call.body
    try:
        names.check_role_name(body.role)
    except names.InvalidName as error:
        raise wrong_field("role", str(error)) from error
    job_id, ticket = _PREFIX + random_text(_CHARACTERS), Handle.JOB_TICKET.generate()
    try:
        submitted = labels.as_submitted(body.labels, resource_id=job_id, resource_type="job")
    except InvalidLabel as error:
        raise wrong_field("labels", str(error)) from error
    stamped = call.caller.scope.stamp("job:create", job_id, submitted)
    if stamped is None:
        raise _out_of_reach(call, "job:create", job_id, "job:create@*")
    call.caller.require("role:assume", body.role)
    call.caller.require_services()
    ticket_hash = handle_hash(ticket, call.service.credentials.hash_key.key)

    def work(tx: Transaction) -> JobWithTicket:
        role = principals.get(tx.session, ROLE_PREFIX + body.role)
        row = jobs.create(
            tx,
            role,
            job_id,
            name=body.name,
            labels=stamped,
            ticket_hash=ticket_hash,
            ends_at=tx.now + body.time_limit_seconds,
        )
        return JobWithTicket(**_job(row, role, tx.now).model_dump(), ticket=ticket)

    return await call.change(work)


async def list_all(call: Call) -> Page[Job]:
    """Those that the caller may look at."""
    query, now = call.query, int(time.time())

    def work(session: Session) -> Page[Job]:
        found: list[Job] = []
        cursor = query.cursor
        while len(found) <= query.limit:
            rows = jobs.page(session, after=cursor, limit=_BATCH)
            shown = [_job(row, role, now) for row, role in rows if _reaches(call, "job:get", row)]
            found += [job for job in shown if query.state in (None, _coarse(job))]
            if len(rows) < _BATCH:
                break
            cursor = rows[-1][0].id
        return page_of(found[: query.limit + 1], query.limit, lambda job: job.id)

    return await call.read(work)


async def get(call: Call) -> Versioned:
    def work(session: Session) -> Versioned:
        row, role = _known(call, session, "job:get")
        return _versioned(row, role, int(time.time()))

    return await call.read(work)


async def label(call: Call) -> Versioned:
    """Within the caller's reach before and after."""

    def work(tx: Transaction) -> Versioned:
        row, role = _known(call, tx.session, "job:label")
        call.preconditions.require(row.status_index)
        try:
            wanted = labels.changed(call.body.labels, jobs.labels_of(row))
        except InvalidLabel as error:
            raise wrong_field("labels", str(error)) from error
        if not call.caller.scope.covers("job:label", row.id, wanted):
            raise _out_of_reach(call, "job:label", row.id, f"job:label@{row.id}")
        jobs.set_labels(tx, row, wanted)
        return _versioned(row, role, tx.now)

    return await call.change(work)


async def end(call: Call) -> Job:
    """Its ticket and every token of it end now. Again it does nothing."""

    def work(tx: Transaction) -> Job:
        row, role = _known(call, tx.session, "job:end")
        jobs.end(tx, [row])
        return _job(row, role, tx.now)

    return await call.change(work)


def _known(call: Call, session: Session, action: str) -> tuple[JobRow, Principal]:
    """Raises NotFound, BearerDenial."""
    row, role = jobs.get(session, call.path("job"))
    call.caller.require(action, row.id, jobs.labels_of(row))
    return row, role


def _out_of_reach(call: Call, action: str, job_id: str, permission: str) -> BearerDenial:
    """The labels that a job is to have are not the caller's to give: it says which ones are."""
    return BearerDenial(InsufficientScope(permission, call.caller.scope.selectors_for(action, job_id)))


def _reaches(call: Call, action: str, row: JobRow) -> bool:
    return call.caller.scope.covers(action, row.id, jobs.labels_of(row))


def _versioned(row: JobRow, role: Principal, now: int) -> Versioned:
    """Its labels are changed against what was seen: with them changes the index that its tokens have."""
    return Versioned(_job(row, role, now), row.status_index)


def _job(row: JobRow, role: Principal, now: int) -> Job:
    return Job(
        id=row.id,
        role=role.name.removeprefix(ROLE_PREFIX),
        name=row.name,
        labels=jobs.labels_of(row),
        state="running" if row.ends_at > now else "ended" if row.is_ended else "timed_out",
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
        ends_at=rfc3339.write(row.ends_at),
    )


def _coarse(job: Job) -> str:
    return "running" if job.state == "running" else "ended"


_ALL, _ONE = "/v1/jobs", "/v1/jobs/{job}"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Begin a job",
        permission="job:create@JOB",
        handler=create,
        body=NewJob,
        answer=JobWithTicket,
        status=201,
        location="/v1/jobs/{id}",
        refusals=("not_found", "not_permitted"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List jobs",
        permission="job:get@JOB",
        handler=list_all,
        query=JobQuery,
        answer=Page[Job],
    ),
    Operation(
        method="GET",
        path=_ONE,
        summary="Look at a job",
        permission="job:get@JOB",
        handler=get,
        answer=Job,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    Operation(
        method="PUT",
        path=f"{_ONE}/labels",
        summary="Change the labels of a job that runs",
        permission="job:label@JOB",
        handler=label,
        body=NewLabels,
        answer=Job,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found", "conflict"),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        summary="End a job, with its ticket and its tokens",
        permission="job:end@JOB",
        handler=end,
        answer=Job,
        refusals=("not_found",),
    ),
)
