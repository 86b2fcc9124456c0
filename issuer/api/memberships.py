"""The roles that a user holds: give, list, take."""

from __future__ import annotations

from pydantic import Field
from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Body, Call, Operation, Versioned
from issuer.api.query import Page, PageQuery, page_of
from issuer.store import principals, users
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import Membership as MembershipRow
from issuer.store.tables import Principal
from issuer.store.users import USER_PREFIX


class NewMembership(Body):
    role: str = Field(max_length=200)


class Membership(Answer):
    user: str
    role: str
    created_at: rfc3339.Written
    created_by: str


class TakenRole(Answer):
    user: str
    taken: str


async def give(call: Call) -> Versioned:
    """The user follows the role from now on: only who may assume it gives it."""
    name, role = call.path("user"), call.body.role
    call.caller.require("user:assign", name)
    call.caller.require("role:assume", role)

    def work(tx: Transaction) -> Versioned:
        user = users.get(tx.session, name)
        call.preconditions.require(user.principal.version)
        given = principals.get(tx.session, ROLE_PREFIX + role)
        return Versioned(_membership(name, given, users.give_role(tx, user, given)), user.principal.version)

    return await call.change(work)


async def list_of_user(call: Call) -> Versioned:
    name, query = call.path("user"), call.query
    call.caller.require("user:get", name)

    def work(session: Session) -> Versioned:
        user = users.get(session, name)
        held = [_membership(name, *row) for row in users.memberships(session, user)]
        rest = [each for each in held if each.role > query.cursor][: query.limit + 1]
        return Versioned(page_of(rest, query.limit, lambda each: each.role), user.principal.version)

    return await call.read(work)


async def list_of_role(call: Call) -> Page[Membership]:
    """Of those who hold it, the users that the caller may look at."""
    role, query, visible = call.path("role"), call.query, call.caller.scope.names_for("user:get")
    call.caller.require("role:get", role)

    def work(session: Session) -> Page[Membership]:
        held = principals.get(session, ROLE_PREFIX + role)
        rows = users.holders(session, held, after=query.cursor, limit=query.limit + 1, within=visible)
        found = [_membership(user.name.removeprefix(USER_PREFIX), held, row) for user, row in rows]
        return page_of(found, query.limit, lambda each: each.user)

    return await call.read(work)


async def take(call: Call) -> Versioned:
    """Every token that was issued while the user held the role ends. Again it does nothing."""
    name, role = call.path("user"), call.path("role")
    call.caller.require("user:assign", name)

    def work(tx: Transaction) -> Versioned:
        user = users.get(tx.session, name)
        call.preconditions.require(user.principal.version)
        taken = principals.find(tx.session, ROLE_PREFIX + role)
        if taken is not None:
            users.take_role(tx, user, taken)
        return Versioned(TakenRole(user=name, taken=role), user.principal.version)

    return await call.change(work)


def _membership(user: str, role: Principal, row: MembershipRow) -> Membership:
    return Membership(
        user=user,
        role=role.name.removeprefix(ROLE_PREFIX),
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
    )


_ALL = "/v1/users/{user}/roles"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Give a user a role",
        permission="user:assign@USER",
        handler=give,
        body=NewMembership,
        answer=Membership,
        status=201,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found", "conflict"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List the roles of a user",
        permission="user:get@USER",
        handler=list_of_user,
        query=PageQuery,
        answer=Page[Membership],
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    Operation(
        method="GET",
        path="/v1/roles/{role}/members",
        summary="List the users who hold a role",
        permission="role:get@ROLE",
        handler=list_of_role,
        query=PageQuery,
        answer=Page[Membership],
        refusals=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=_ALL + "/{role}",
        summary="Take a role from a user",
        permission="user:assign@USER",
        handler=take,
        answer=TakenRole,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
)
