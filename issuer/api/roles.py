"""Roles: make, list, look at, delete."""

from __future__ import annotations

import anyio
from pydantic import BaseModel

from issuer import rfc3339
from issuer.api.operation import MAX_PAGE, Body, Call, Operation, Page, page_of
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
    made: list[str]
    """Those of the role keys that were made with these; they live on."""


async def create(call: Call) -> Role:
    try:
        name = principals.check_role_name(call.body.name)
    except principals.InvalidName as error:
        raise wrong_field("name", str(error)) from error
    call.caller.require("role:create", name)
    return await call.change(lambda tx: _role(principals.create(tx, ROLE_PREFIX + name)))


async def list_all(call: Call) -> Page[Role]:
    """Of all roles those that the caller may look at."""
    cursor, limit = call.page()

    def read() -> Page[Role]:
        seen: list[Role] = []
        after = ROLE_PREFIX + cursor
        with call.service.database.read() as session:
            # On until the page is full: a cursor that names a role would tell of one that cannot be seen.
            while len(seen) <= limit and (
                found := principals.list_roles(session, after=after, limit=MAX_PAGE)
            ):
                roles = [_role(row) for row in found]
                seen += [role for role in roles if call.caller.scope.covers("role:get", role.name)]
                after = found[-1].name
        items, next_cursor = page_of(seen, limit, lambda role: role.name)
        return Page(items=items, next_cursor=next_cursor)

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
        keys, made = await call.change(lambda tx: principals.delete_principal(tx, ROLE_PREFIX + name))
    except principals.NotFound:
        keys, made = [], []
    return DeletedRole(deleted=name, keys=keys, made=made)


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
