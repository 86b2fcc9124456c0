"""Policies of a role: its permissions."""

from __future__ import annotations

from contextlib import suppress

import anyio
from pydantic import BaseModel

from issuer import rfc3339
from issuer.api.operation import Body, Call, Operation, Page, page_of
from issuer.denials import wrong_field
from issuer.store import principals
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import PolicyRow
from verifier import InvalidPermission, Permission, Scope


class NewPolicy(Body):
    permission: str


class Policy(BaseModel):
    id: int
    role: str
    permission: str
    created_at: str
    created_by: str


class DeletedPolicy(BaseModel):
    deleted: int


async def create(call: Call) -> Policy:
    role = call.path("role")
    call.caller.require("role-policy:create", role)
    try:
        permission = Permission.parse(call.body.permission)
    except InvalidPermission as error:
        raise wrong_field("permission", str(error)) from error
    call.caller.require_within(Scope((permission,)), "the policy")
    return await call.change(
        lambda tx: _policy(role, principals.add_policy(tx, ROLE_PREFIX + role, permission)),
    )


async def list_of_role(call: Call) -> Page[Policy]:
    role = call.path("role")
    call.caller.require("role:get", role)
    cursor, limit = call.page()

    def read() -> Page[Policy]:
        with call.service.database.read() as session:
            rows = principals.list_policies(
                session, ROLE_PREFIX + role, after=_number("cursor", cursor or "0"), limit=limit + 1
            )
            items, next_cursor = page_of(
                [_policy(role, row) for row in rows], limit, lambda policy: str(policy.id)
            )
            return Page(items=items, next_cursor=next_cursor)

    return await anyio.to_thread.run_sync(read)


async def delete(call: Call) -> DeletedPolicy:
    """Every token that was issued while it held ends. Again it does nothing."""
    role, number = call.path("role"), _number("policy", call.path("policy"))
    call.caller.require("role-policy:delete", role)
    with suppress(principals.NotFound):
        await call.change(lambda tx: principals.delete_policy(tx, ROLE_PREFIX + role, number))
    return DeletedPolicy(deleted=number)


def _policy(role: str, row: PolicyRow) -> Policy:
    return Policy(
        id=row.id,
        role=role,
        permission=row.permission,
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
    )


def _number(name: str, text: str) -> int:
    if len(text) > 10 or not text.isascii() or not text.isdigit() or int(text) >= 2**31:
        raise wrong_field(name, "a policy's id is a number, as listed")
    return int(text)


_ALL = "/v1/roles/{role}/policies"
OPERATIONS = (
    Operation("POST", _ALL, "Add a policy", "role-policy:create@ROLE", create, Policy, NewPolicy, 201),
    Operation("GET", _ALL, "List policies", "role:get@ROLE", list_of_role, Page[Policy], is_list=True),
    Operation(
        "DELETE", _ALL + "/{policy}", "Delete a policy", "role-policy:delete@ROLE", delete, DeletedPolicy
    ),
)
