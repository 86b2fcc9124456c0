"""Role keys of a user, API tokens among them: list, delete. Nobody needs a permission for their own.

Users make API tokens, which have more to show (`tokens`). A plain role key of a user is that of
`hourmarkd init`.
"""

from __future__ import annotations

from contextlib import suppress

from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.query import Page, PageQuery, page_of
from issuer.store import api_tokens, role_keys, users
from issuer.store.database import Transaction
from issuer.store.refusals import NotFound
from issuer.store.users import USER_PREFIX


class UserKey(Answer):
    access: str
    user: str
    name: str
    is_api_token: bool
    scope: str | None
    """What it is narrowed to; all that the user may without."""
    created_at: rfc3339.Written
    created_by: str
    expires_at: rfc3339.Written | None
    last_exchanged_at: rfc3339.Written | None


class DeletedUserKey(Answer):
    deleted: str
    made: list[str]
    """The ids of the role keys, trust policies, apps and jobs that were made with it; they live on."""


async def list_of_user(call: Call) -> Page[UserKey]:
    name, query = _asked_user(call, "list"), call.query

    def work(session: Session) -> Page[UserKey]:
        user = users.get(session, name).principal
        rows = role_keys.list_of(session, user, after=query.cursor, limit=query.limit + 1)
        tokens = api_tokens.among(session, [row.access for row in rows])
        keys = [
            UserKey(
                access=row.access,
                user=name,
                name=row.name,
                is_api_token=row.access in tokens,
                scope=row.scope,
                created_at=rfc3339.write(row.created_at),
                created_by=row.created_by,
                expires_at=rfc3339.write_optional(row.expires_at),
                last_exchanged_at=rfc3339.write_optional(row.last_exchanged_at),
            )
            for row in rows
        ]
        return page_of(keys, query.limit, lambda key: key.access)

    return await call.read(work)


async def delete(call: Call) -> DeletedUserKey:
    """For good. Again it does nothing."""
    name, access = _asked_user(call, "delete"), call.path("access")
    made: list[str] = []

    def work(tx: Transaction) -> list[str]:
        return role_keys.delete_key(tx, users.get(tx.session, name).principal, access)

    with suppress(NotFound, role_keys.NoSuchKey):
        made = await call.change(work)
    return DeletedUserKey(deleted=access, made=made)


def _asked_user(call: Call, verb: str) -> str:
    """The user's name, if the caller is the user or may do this to its keys. Raises BearerDenial, Denial."""
    name = call.path("user")
    if not call.caller.is_oneself(USER_PREFIX + name):
        call.caller.require(f"role-key:{verb}", USER_PREFIX + name)
    return name


_ALL = "/v1/users/{user}/keys"
OPERATIONS = (
    Operation(
        method="GET",
        path=_ALL,
        summary="List a user's role keys, API tokens among them",
        permission="role-key:list@PRINCIPAL-NAME",
        handler=list_of_user,
        query=PageQuery,
        answer=Page[UserKey],
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{access}",
        summary="Delete a user's role key",
        permission="role-key:delete@PRINCIPAL-NAME",
        handler=delete,
        answer=DeletedUserKey,
    ),
)
