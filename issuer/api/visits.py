"""Where users are let in at apps behind a proxy: list, end one. Nobody needs a permission for their own."""

from __future__ import annotations

import time

from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.query import IdPageQuery, Page, page_of
from issuer.api.sign_ins import asked_user
from issuer.store import users, visits
from issuer.store.database import Transaction
from issuer.store.tables import AppRow, Visit
from issuer.user_agents import browser_name


class VisitOfUser(Answer):
    id: int
    user: str
    app: str
    """The name of the app."""
    host: str | None
    """Where it is found."""
    browser: str
    """What people call it."""
    address: str
    user_agent: str
    """What it says about itself."""
    created_at: rfc3339.Written
    expires_at: rfc3339.Written


class EndedVisit(Answer):
    user: str
    visit: int


async def list_of_user(call: Call) -> Page[VisitOfUser]:
    """The newest first. Those that an API token or another role key of the user opened are among them."""
    query, name = call.query, asked_user(call, "user:get")

    def work(session: Session) -> Page[VisitOfUser]:
        user = users.get(session, name).principal
        rows = visits.page_of(session, user, before=query.cursor, limit=query.limit + 1, now=int(time.time()))
        found = [_visit(name, row, app) for row, app in rows]
        return page_of(found, query.limit, lambda visit: str(visit.id))

    return await call.read(work)


async def end(call: Call) -> EndedVisit:
    """It ends with what the app was handed; the credential that opened it goes on. Again it does nothing."""
    name, number = asked_user(call, "user:sign-out"), call.number("visit")

    def work(tx: Transaction) -> EndedVisit:
        row = visits.find(tx.session, users.get(tx.session, name).principal, number)
        if row is not None:
            visits.leave(tx, row)
        return EndedVisit(user=name, visit=number)

    return await call.change(work)


def _visit(user: str, row: Visit, app: AppRow) -> VisitOfUser:
    return VisitOfUser(
        id=row.id,
        user=user,
        app=app.name,
        host=app.host,
        browser=browser_name(row.user_agent),
        address=row.address,
        user_agent=row.user_agent,
        created_at=rfc3339.write(row.created_at),
        expires_at=rfc3339.write(row.expires_at),
    )


_ALL = "/v1/users/{user}/visits"
OPERATIONS = (
    Operation(
        method="GET",
        path=_ALL,
        summary="List where a user is let in at apps behind a proxy",
        permission="user:get@USER",
        handler=list_of_user,
        query=IdPageQuery,
        answer=Page[VisitOfUser],
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{visit}",
        summary="End one visit of a user at an app",
        permission="user:sign-out@USER",
        handler=end,
        answer=EndedVisit,
        refusals=("not_found",),
    ),
)
