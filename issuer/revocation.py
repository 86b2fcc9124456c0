"""Ending a token (RFC 7009): its client alone does, and hears the same whether there was one.

A role key counts as the app that its role is. A job is the client of its tokens, by its ticket.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from issuer.authentication import tickets
from issuer.body import read_form
from issuer.clients import Client
from issuer.denials import Denial
from issuer.introspection import live_token
from issuer.mint import Grant
from issuer.service import Service
from issuer.store import apps, jobs, refresh_tokens, role_keys, user_grants, visits
from issuer.store.database import Transaction
from issuer.store.jobs import LoadedJob
from keys import Handle, handle_hash

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}


async def post_revoke(service: Service, request: Request) -> Response:
    form = await read_form(request)
    await service.once_more(lambda: _revoke(service, request, form))
    return Response(status_code=200, headers=_HEADERS)


async def _revoke(service: Service, request: Request, form: dict[str, str]) -> None:
    service.coherence.check()
    if tickets.is_presented(request):
        job = await tickets.prove(service, request, tickets.presented(request), int(time.time()))
        await _end_tokens_of_job(service, job, form)
        return
    asker = await service.apps.app_or_role_key(request, form)
    if "token" not in form:
        raise Denial("invalid_request", "token is missing")
    text = form["token"]
    if Handle.REFRESH_TOKEN.is_whole(text):
        await _end_sign_in(service, asker, text)
        return
    token = live_token(service, text)
    # What is no good already, or another one's, is as the client wants it (RFC 7009 section 2.2).
    if token is None or token.status is None:
        return
    index = token.status.index
    if isinstance(asker, Grant) and token.client_id == asker.client_id:
        access = asker.client_id
        await _change(service, asker, lambda tx: role_keys.end_tokens_at(tx, access, index))
        return
    app = await service.apps.app_of(asker)
    if app is not None and token.client_id == app.client_id:
        await _change(service, asker, lambda tx: _end_tokens(tx, index))


async def _end_tokens_of_job(service: Service, job: LoadedJob, form: dict[str, str]) -> None:
    """All that it got so far: they have one index. It goes on, and asks for others.

    Its ticket ends the job itself: whoever runs it needs nothing else for that.
    """
    if "token" not in form:
        raise Denial("invalid_request", "token is missing")
    if Handle.JOB_TICKET.is_whole(form["token"]):
        await _end_job(service, job, form["token"])
        return
    token = live_token(service, form["token"])
    row = job.row
    if token is not None and token.client_id == row.id:
        await service.change(row.id, row.status_index, lambda tx: jobs.revoke_tokens(tx, row.id))


async def _end_job(service: Service, job: LoadedJob, ticket: str) -> None:
    """If the ticket is the job's own; another's is refused (RFC 7009 section 2.1). Raises Denial."""
    ticket_hash = handle_hash(ticket, service.credentials.hash_key.key)

    def work(tx: Transaction) -> None:
        named = jobs.load(tx.session, ticket_hash)
        if named is None:
            return
        if named.row.id != job.row.id:
            raise Denial("invalid_request", "that is another job's ticket: a job ends by its own")
        jobs.end(tx, [named.row])

    await service.change(job.row.id, job.row.status_index, work)


async def _end_sign_in(service: Service, asker: Client | Grant, text: str) -> None:
    """Of a refresh token: with its tokens."""
    app = await service.apps.app_of(asker)

    def work(tx: Transaction) -> None:
        row = refresh_tokens.find(tx.session, text, service.credentials.hash_key.key)
        if row is not None and app is not None and row.client_id == app.client_id:
            user_grants.end(tx, [row])

    await _change(service, asker, work)


async def _change(service: Service, asker: Client | Grant, work: Callable[[Transaction], None]) -> None:
    if isinstance(asker, Grant):
        await service.change(asker.client_id, asker.status_index, work)
    else:
        await service.write(asker.client_id, work)


def _end_tokens(tx: Transaction, index: int) -> None:
    """Of what they were issued from, which goes on: its client asks for others."""
    row = user_grants.by_index(tx.session, index)
    user_grants.end_tokens(tx, [] if row is None else [row])
    apps.end_own_tokens(tx, apps.by_index(tx.session, index))
    visits.end_tokens(tx, visits.by_index(tx.session, index))
