"""From a job's ticket to what its tokens are issued from."""

from __future__ import annotations

from sqlmodel import Session
from starlette.requests import Request

from issuer.client_authentication import authorization
from issuer.denials import BearerDenial, Denial
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import jobs
from issuer.store.jobs import LoadedJob
from issuer.telemetry import note, source
from keys import Handle, handle_hash
from verifier.bearer import bearer_token

_NOT_VALID = "the ticket is not valid: it is mistyped, or its job has ended or reached its limit"


async def redeem(service: Service, request: Request, now: int) -> Grant:
    """What the ticket in the Authorization header stands for. Raises Denial, StoreUnavailable."""
    ticket = bearer_token(authorization(request))
    if ticket is None:
        raise BearerDenial(None)
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
    return Grant(
        subject=loaded.role.name,
        client_id=loaded.row.id,
        rights=loaded.held,
        roles={loaded.role.name.partition(":")[2]: loaded.held},
        status_index=loaded.row.status_index,
        ends_at=loaded.row.ends_at,
        job=loaded.row.id,
        labels=jobs.labels_of(loaded.row),
    )
