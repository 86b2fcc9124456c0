"""Where users are signed in: list, end one, sign out everywhere. Nobody needs a permission for their own."""

from __future__ import annotations

import time

from sqlmodel import Session

from issuer import clients, rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.query import IdPageQuery, Page, page_of
from issuer.store import sign_ins, users
from issuer.store.database import Transaction
from issuer.store.tables import UserGrant
from issuer.store.user_grants import SESSION
from issuer.store.users import USER_PREFIX
from issuer.user_agents import browser_name


class SignIn(Answer):
    id: int
    user: str
    name: str
    """What people call the client, or the browser."""
    client_id: str
    """`console` for a browser in which the user is signed in here."""
    address: str
    user_agent: str
    """What it says about itself."""
    is_here: bool
    """Whether it is what the caller asks with."""
    created_at: rfc3339.Written
    last_used_at: rfc3339.Written | None
    expires_at: rfc3339.Written | None


class SignedOut(Answer):
    signed_out: str
    """The user's name."""
    sign_in: int | None
    """The id of the one that ended; null where all did."""


async def list_of_user(call: Call) -> Page[SignIn]:
    """The newest first."""
    query, name = call.query, asked_user(call, "user:get")

    def work(session: Session) -> Page[SignIn]:
        user = users.get(session, name).principal
        rows = sign_ins.page_of_user(
            session, user, before=query.cursor, limit=query.limit + 1, now=int(time.time())
        )
        found = [_sign_in(session, name, row, call.caller.status_index) for row in rows]
        return page_of(found, query.limit, lambda sign_in: str(sign_in.id))

    return await call.read(work)


async def end(call: Call) -> SignedOut:
    """It ends with its tokens. Again it does nothing."""
    name, number = asked_user(call, "user:sign-out"), call.number("sign_in")

    def work(tx: Transaction) -> SignedOut:
        sign_ins.end(tx, users.get(tx.session, name).principal, number)
        return SignedOut(signed_out=name, sign_in=number)

    return await call.change(work)


async def end_all(call: Call) -> SignedOut:
    """Everything that the user signed in at ends, what the caller asks with among it. Consents go on."""
    name = asked_user(call, "user:sign-out")

    def work(tx: Transaction) -> SignedOut:
        sign_ins.end_all(tx, users.get(tx.session, name).principal)
        return SignedOut(signed_out=name, sign_in=None)

    return await call.change(work)


def asked_user(call: Call, action: str) -> str:
    """The user's name, if the caller is the user or may do this to the user. Raises BearerDenial, Denial."""
    name = call.path("user")
    if not call.caller.is_oneself(USER_PREFIX + name):
        call.caller.require(action, name)
    return name


def _sign_in(session: Session, user: str, row: UserGrant, here: int) -> SignIn:
    is_browser = row.kind == SESSION
    return SignIn(
        id=row.id,
        user=user,
        name=browser_name(row.user_agent) if is_browser else clients.name_of(session, row.client_id),
        client_id=row.client_id,
        address=row.address,
        user_agent=row.user_agent,
        is_here=row.status_index == here,
        created_at=rfc3339.write(row.created_at),
        last_used_at=rfc3339.write_optional(row.last_used_at),
        expires_at=rfc3339.write_optional(row.expires_at),
    )


_ALL = "/v1/users/{user}/sign-ins"
OPERATIONS = (
    Operation(
        method="GET",
        path=_ALL,
        summary="List where a user is signed in",
        permission="user:get@USER",
        handler=list_of_user,
        query=IdPageQuery,
        answer=Page[SignIn],
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL,
        summary="Sign a user out everywhere",
        permission="user:sign-out@USER",
        handler=end_all,
        answer=SignedOut,
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{sign_in}",
        summary="Sign a user out at one place",
        permission="user:sign-out@USER",
        handler=end,
        answer=SignedOut,
        refusals=("not_found",),
    ),
)
