"""Roles: make, list, look at, delete."""

from __future__ import annotations

from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Body, Call, Operation, Versioned
from issuer.api.query import NamePrefix, Page, PageQuery, page_of
from issuer.denials import wrong_field
from issuer.store import names, principals
from issuer.store.credentials import Deleted
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import Principal


class NewRole(Body):
    name: str


class RoleQuery(PageQuery):
    prefix: NamePrefix | None = None
    """What the names begin with."""


class Role(Answer):
    name: str
    created_at: rfc3339.Written
    created_by: str


class DeletedRole(Answer):
    deleted: str
    keys: list[str]
    """The access ids of the role keys that went with it."""
    made: list[str]
    """The role keys and trust policies that were made with these; they live on."""
    apps: list[str]
    """The names of the apps that it owned, which went with it."""


async def create(call: Call) -> Versioned:
    try:
        name = names.check_role_name(call.body.name)
    except names.InvalidName as error:
        raise wrong_field("name", str(error)) from error
    call.caller.require("role:create", name)
    return await call.change(lambda tx: _versioned(principals.create(tx, ROLE_PREFIX + name)))


async def list_all(call: Call) -> Page[Role]:
    """Of all roles those that the caller may look at: nothing else is read, or counts for a cursor."""
    query, visible = call.query, call.caller.scope.names_for("role:get")

    def work(session: Session) -> Page[Role]:
        rows = principals.list_roles(
            session,
            after=ROLE_PREFIX + query.cursor,
            limit=query.limit + 1,
            prefix=query.prefix or "",
            within=visible,
        )
        return page_of([_role(row) for row in rows], query.limit, lambda role: role.name)

    return await call.read(work)


async def get(call: Call) -> Versioned:
    name = call.path("role")
    call.caller.require("role:get", name)
    return await call.read(lambda session: _versioned(principals.get(session, ROLE_PREFIX + name)))


async def delete(call: Call) -> DeletedRole:
    """For good. Again, or for a role that never was, it does nothing."""
    name = call.path("role")
    call.caller.require("role:delete", name)

    def work(tx: Transaction) -> DeletedRole:
        role = principals.find(tx.session, ROLE_PREFIX + name)
        call.preconditions.require(role.version if role else None)
        gone = principals.delete_principal(tx, role.name) if role else Deleted([], [], [])
        return DeletedRole(deleted=name, keys=gone.keys, made=gone.made, apps=gone.apps)

    return await call.change(work)


def _versioned(row: Principal) -> Versioned:
    return Versioned(_role(row), row.version)


def _role(row: Principal) -> Role:
    return Role(
        name=row.name.removeprefix(ROLE_PREFIX),
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
    )


_ALL, _ONE = "/v1/roles", "/v1/roles/{role}"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Make a role",
        permission="role:create@ROLE",
        handler=create,
        body=NewRole,
        answer=Role,
        status=201,
        location="/v1/roles/{name}",
        has_etag=True,
        refusals=("conflict",),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List roles",
        permission="role:get@ROLE",
        handler=list_all,
        query=RoleQuery,
        answer=Page[Role],
    ),
    Operation(
        method="GET",
        path=_ONE,
        summary="Look at a role",
        permission="role:get@ROLE",
        handler=get,
        answer=Role,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        summary="Delete a role with its keys",
        permission="role:delete@ROLE",
        handler=delete,
        answer=DeletedRole,
        is_conditional=True,
    ),
)
