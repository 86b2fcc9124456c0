"""Policies of a role: its permissions."""

from __future__ import annotations

from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Body, Call, Operation, Versioned
from issuer.api.query import IdPageQuery, Page, page_of
from issuer.denials import wrong_field
from issuer.registry.access import refuse_selectors
from issuer.store import principals
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import PolicyRow
from verifier import InvalidPermission, Permission, Scope


class NewPolicy(Body):
    permission: str


class Policy(Answer):
    id: int
    role: str
    permission: str
    created_at: rfc3339.Written
    created_by: str


class DeletedPolicy(Answer):
    deleted: int
    """Its id."""


async def create(call: Call) -> Versioned:
    name = call.path("role")
    call.caller.require("role-policy:create", name)
    try:
        permission = Permission.parse(call.body.permission)
        refuse_selectors([permission])
    except InvalidPermission as error:
        raise wrong_field("permission", str(error)) from error
    call.caller.require_within(Scope((permission,)), "the policy")

    def work(tx: Transaction) -> Versioned:
        role = principals.get(tx.session, ROLE_PREFIX + name)
        call.preconditions.require(role.version)
        policy = principals.add_policy(tx, role.name, permission)
        return Versioned(_policy(name, policy), role.version)

    return await call.change(work)


async def list_of_role(call: Call) -> Versioned:
    name, limit = call.path("role"), call.query.limit
    call.caller.require("role:get", name)

    def work(session: Session) -> Versioned:
        role = principals.get(session, ROLE_PREFIX + name)
        rows = principals.list_policies(session, role.name, after=call.query.cursor or 0, limit=limit + 1)
        page = page_of([_policy(name, row) for row in rows], limit, lambda policy: str(policy.id))
        return Versioned(page, role.version)

    return await call.read(work)


async def delete(call: Call) -> Versioned:
    """Every token that was issued while it held ends. Again it does nothing."""
    name, number = call.path("role"), call.number("policy")
    call.caller.require("role-policy:delete", name)

    def work(tx: Transaction) -> Versioned:
        role = principals.find(tx.session, ROLE_PREFIX + name)
        policy = principals.find_policy(tx.session, role, number) if role else None
        call.preconditions.require(role.version if role and policy else None)
        if role and policy:
            principals.delete_policy(tx, role.name, number)
        return Versioned(DeletedPolicy(deleted=number), role.version if role else None)

    return await call.change(work)


def _policy(role: str, row: PolicyRow) -> Policy:
    return Policy(
        id=row.id,
        role=role,
        permission=row.permission,
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
    )


_ALL = "/v1/roles/{role}/policies"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Add a policy",
        permission="role-policy:create@ROLE",
        handler=create,
        body=NewPolicy,
        answer=Policy,
        status=201,
        has_etag=True,
        is_conditional=True,
        refusals=("not_permitted", "not_found", "conflict"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List policies",
        permission="role:get@ROLE",
        handler=list_of_role,
        query=IdPageQuery,
        answer=Page[Policy],
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{policy}",
        summary="Delete a policy",
        permission="role-policy:delete@ROLE",
        handler=delete,
        answer=DeletedPolicy,
        has_etag=True,
        is_conditional=True,
    ),
)
