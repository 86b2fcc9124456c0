"""From a job's ticket to the job, and to what its tokens are issued from."""

from __future__ import annotations

from sqlmodel import Session
from starlette.requests import Request

from issuer.authentication.client import authorization
from issuer.denials import BearerDenial, Denial
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import jobs
from issuer.store.jobs import LoadedJob
from issuer.telemetry import note, source
from keys import Handle, handle_hash
from verifier.bearer import bearer_token

_NOT_VALID = "the ticket is not valid: it is mistyped, or its job has ended or reached its limit"


def is_presented(request: Request) -> bool:
    """Whether the Authorization header has one, good or not. Raises Denial."""
    return Handle.JOB_TICKET.is_whole(bearer_token(authorization(request)) or "")


def presented(request: Request) -> str:
    """What the Authorization header has. Raises Denial."""
    ticket = bearer_token(authorization(request))
    if ticket is None:
        raise BearerDenial(None)
    return ticket


async def redeem(service: Service, request: Request, ticket: str, now: int) -> Grant:
    """What tokens are issued from for this ticket. Raises Denial, StoreUnavailable."""
    job = await prove(service, request, ticket, now)
    return Grant(
        subject=job.role.name,
        client_id=job.row.id,
        rights=job.held,
        roles={job.role.name.partition(":")[2]: job.held},
        status_index=job.row.status_index,
        ends_at=job.row.ends_at,
        job=job.row.id,
        labels=jobs.labels_of(job.row),
    )


async def prove(service: Service, request: Request, ticket: str, now: int) -> LoadedJob:
    """The job that runs at `now` and whose ticket it is; failures are counted by source.

    Raises Denial, StoreUnavailable.
    """
    loaded = None
    if Handle.JOB_TICKET.is_whole(ticket):
        ticket_hash = handle_hash(ticket, service.credentials.hash_key.key)

        def work(session: Session) -> LoadedJob | None:
            found = jobs.load(session, ticket_hash, now)
            session.expunge_all()
            return found

        loaded = await service.read(work)
    if loaded is None:
        raise service.throttle.failed(source(request.scope), Denial("invalid_token", _NOT_VALID))
    note(request.scope, client_id=loaded.row.id, sub=loaded.role.name)
    return loaded
