"""From a job's ticket to the job, and to what its tokens are issued from."""

from __future__ import annotations

from sqlmodel import Session
from starlette.requests import Request

from issuer import rfc3339
from issuer.authentication.client import authorization
from issuer.denials import Denial
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import jobs
from issuer.store.jobs import LoadedJob
from issuer.store.tables import JobRow
from issuer.telemetry import note, source
from keys import Handle, handle_hash
from keys.secret import ROLE_KEY_PREFIX
from verifier.bearer import bearer_token

_EXCHANGE = "exchange it at POST /v1/token by grant_type=client_credentials, with HTTP Basic"
_ANEW = "start another one"


def is_presented(request: Request) -> bool:
    """Whether the Authorization header has one, good or not. Raises Denial."""
    return Handle.JOB_TICKET.is_whole(bearer_token(authorization(request)) or "")


def presented(request: Request) -> str:
    """What the Authorization header has. Raises Denial."""
    ticket = bearer_token(authorization(request))
    if ticket is None:
        raise Denial(
            "invalid_token",
            f"send the job's ticket, which begins with {Handle.JOB_TICKET.value}, as Authorization: Bearer",
            headers={"WWW-Authenticate": "Bearer"},
        )
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
    try:
        loaded = await _find(service, ticket)
        if loaded.row.ends_at <= now:
            raise _NotValid(_why_over(loaded.row))
    except _NotValid as error:
        refused = Denial("invalid_token", f"the ticket is not valid: {error}")
        raise service.throttle.failed(source(request.scope), refused) from None
    note(request.scope, client_id=loaded.row.id, sub=loaded.role.name)
    return loaded


class _NotValid(Exception):
    """It opens nothing; the message says why, and what does."""


async def _find(service: Service, ticket: str) -> LoadedJob:
    """Raises _NotValid, StoreUnavailable."""
    if not Handle.JOB_TICKET.is_whole(ticket):
        raise _NotValid(_what_it_is(ticket))
    ticket_hash = handle_hash(ticket, service.credentials.hash_key.key)

    def work(session: Session) -> LoadedJob | None:
        found = jobs.load(session, ticket_hash)
        session.expunge_all()
        return found

    loaded = await service.read(work)
    if loaded is None:
        raise _NotValid(f"its job was deleted with its role, or is another issuer's; {_ANEW}")
    return loaded


def _what_it_is(text: str) -> str:
    """Of what is no ticket, by its form alone."""
    if text.startswith(Handle.JOB_TICKET):
        return "it is mistyped or cut off"
    if text.startswith(ROLE_KEY_PREFIX):
        return f"it is a role key; {_EXCHANGE}"
    if text.count(".") == 2:
        return "it is a token already; POST /v1/token narrows one by token exchange"
    return f"a job's ticket begins with {Handle.JOB_TICKET.value}"


def _why_over(row: JobRow) -> str:
    """Whoever has the ticket may know."""
    how = "its job has ended" if row.is_ended else "its job has reached its limit"
    return f"{how} ({row.id}, at {rfc3339.write(row.ends_at)}); {_ANEW}"
