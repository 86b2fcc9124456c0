"""Roles: make, list, look at, delete."""

from __future__ import annotations

import anyio
from pydantic import BaseModel

from issuer import rfc3339
from issuer.api.operation import Body, Call, Operation, Page, page_of
from issuer.denials import wrong_field
from issuer.store import principals
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import Principal


class NewRole(Body):
    name: str


class Role(BaseModel):
    name: str
    created_at: str
    created_by: str


class DeletedRole(BaseModel):
    deleted: str
    keys: list[str]
    """The access ids of the role keys that went with it."""


async def create(call: Call) -> Role:
    try:
        name = principals.check_role_name(call.body.name)
    except principals.InvalidName as error:
        raise wrong_field("name", str(error)) from error
    call.caller.require("role:create", name)
    return await call.service.change(
        call.caller.client_id, lambda tx: _role(principals.create(tx, ROLE_PREFIX + name))
    )


async def list_all(call: Call) -> Page[Role]:
    """Of all roles those that the caller may look at."""
    cursor, limit = call.page()

    def read() -> Page[Role]:
        with call.service.database.read() as session:
            found = principals.list_roles(session, after=ROLE_PREFIX + cursor, limit=limit + 1)
            shown, next_cursor = page_of([_role(row) for row in found], limit, lambda role: role.name)
        return Page(
            items=[role for role in shown if call.caller.scope.covers("role:get", role.name)],
            next_cursor=next_cursor,
        )

    return await anyio.to_thread.run_sync(read)


async def get(call: Call) -> Role:
    name = call.path("role")
    call.caller.require("role:get", name)

    def read() -> Role:
        with call.service.database.read() as session:
            return _role(principals.get(session, ROLE_PREFIX + name))

    return await anyio.to_thread.run_sync(read)


async def delete(call: Call) -> DeletedRole:
    """For good. Again, or for a role that never was, it does nothing."""
    name = call.path("role")
    call.caller.require("role:delete", name)
    try:
        keys = await call.service.change(
            call.caller.client_id, lambda tx: principals.delete_principal(tx, ROLE_PREFIX + name)
        )
    except principals.NotFound:
        keys = []
    return DeletedRole(deleted=name, keys=keys)


def _role(row: Principal) -> Role:
    return Role(
        name=row.name.removeprefix(ROLE_PREFIX),
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
    )


_ONE = "/v1/roles/{role}"
OPERATIONS = (
    Operation("POST", "/v1/roles", "Make a role", "role:create@ROLE", create, Role, NewRole, 201),
    Operation("GET", "/v1/roles", "List roles", "role:get@ROLE", list_all, Page[Role], is_list=True),
    Operation("GET", _ONE, "Look at a role", "role:get@ROLE", get, Role),
    Operation("DELETE", _ONE, "Delete a role with its keys", "role:delete@ROLE", delete, DeletedRole),
)
