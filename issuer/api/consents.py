"""Consents: what users let apps have, listed and withdrawn. Nobody needs a permission for their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.query import IdPageQuery, Page, Query, page_of
from issuer.denials import wrong_field
from issuer.store import consents, names, users
from issuer.store.database import Transaction
from issuer.store.tables import AppRow, Principal, UserGrant
from issuer.store.users import USER_PREFIX


class Whose(Query):
    user: Annotated[str, AfterValidator(names.check_user_name)] | None = None
    """Who consented; without it whoever asks."""


class ConsentQuery(Whose, IdPageQuery):
    pass


class Consent(Answer):
    id: int
    user: str
    app: str
    client_id: str
    owner: str
    """Whose app it is."""
    scope: str
    created_at: rfc3339.Written


class WithdrawnConsent(Answer):
    withdrawn: int
    """Its id."""


async def list_of_user(call: Call) -> Page[Consent]:
    """The newest first."""
    query, name = call.query, _whose(call, "user:get")

    def work(session: Session) -> Page[Consent]:
        user = users.get(session, name).principal
        rows = consents.page_of_user(session, user, before=query.cursor, limit=query.limit + 1)
        return page_of([_consent(name, *row) for row in rows], query.limit, lambda consent: str(consent.id))

    return await call.read(work)


async def withdraw(call: Call) -> WithdrawnConsent:
    """Ends it and every sign-in of the user at the app, with their tokens. Again it does nothing."""
    number, name = call.number("consent"), _whose(call, "user:withdraw-consent")

    def work(tx: Transaction) -> WithdrawnConsent:
        consents.withdraw_by_id(tx, users.get(tx.session, name).principal, number)
        return WithdrawnConsent(withdrawn=number)

    return await call.change(work)


def _whose(call: Call, action: str) -> str:
    """The user's name, if the caller is the user or may do this to the user. Raises BearerDenial, Denial."""
    named = call.query.user
    principal = call.caller.principal if named is None else USER_PREFIX + named
    if not principal.startswith(USER_PREFIX):
        raise wrong_field("user", "say whose: it is people who consent")
    name = principal.removeprefix(USER_PREFIX)
    if not call.caller.is_oneself(principal):
        call.caller.require(action, name)
    return name


def _consent(user: str, row: UserGrant, app: AppRow, owner: Principal) -> Consent:
    return Consent(
        id=row.id,
        user=user,
        app=app.name,
        client_id=app.client_id,
        owner=owner.name,
        scope=str(consents.scope_of(row)),
        created_at=rfc3339.write(row.created_at),
    )


_ALL = "/v1/consents"
OPERATIONS = (
    Operation(
        method="GET",
        path=_ALL,
        summary="List what a user lets apps have",
        permission="user:get@USER",
        handler=list_of_user,
        query=ConsentQuery,
        answer=Page[Consent],
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{consent}",
        summary="Withdraw a consent; the app's sign-ins of the user end with it",
        permission="user:withdraw-consent@USER",
        handler=withdraw,
        query=Whose,
        answer=WithdrawnConsent,
        refusals=("not_found",),
    ),
)
