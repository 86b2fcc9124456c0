"""Role keys of a role: make, list, renew, delete. A secret is in the answer that made it and nowhere else."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Literal

from pydantic import Field
from sqlmodel import Session

from issuer import rfc3339
from issuer.api.display_names import DisplayName
from issuer.api.operation import Answer, Body, Call, Operation
from issuer.api.query import Page, PageQuery, Text, page_of
from issuer.denials import Denial, wrong_field
from issuer.registry.access import refuse_selectors
from issuer.store import principals, rights, role_keys
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.refusals import NotFound
from issuer.store.tables import RoleKeyRow
from keys import RoleKey as PresentedKey
from verifier import InvalidPermission, Scope

_MAX_GRACE = 30 * 86400


class NewRoleKey(Body):
    name: DisplayName = ""
    scope: str | None = None
    """Permissions that it is narrowed to; all of the role's without."""
    expires_at: rfc3339.Read | None = None


class RoleKeyQuery(PageQuery):
    created_by: Text | None = None
    """The access id of the credential that made them."""
    state: Literal["active", "expired"] | None = None


class Renewal(Body):
    grace_seconds: int = Field(default=0, ge=0, le=_MAX_GRACE)
    """How long the old secret and its tokens stay good; 0 ends them now."""


class RoleKey(Answer):
    access: str
    role: str
    name: str
    scope: str | None
    created_at: rfc3339.Written
    created_by: str
    expires_at: rfc3339.Written | None
    last_exchanged_at: rfc3339.Written | None


class RoleKeyWithSecret(RoleKey):
    secret: str = Field(repr=False)


class DeletedRoleKey(Answer):
    deleted: str
    made: list[str]
    """The role keys and trust policies that were made with it; they live on."""


async def create(call: Call) -> RoleKeyWithSecret:
    role, body, expires_at = call.path("role"), call.body, call.body.expires_at
    call.caller.require("role-key:create", role)
    call.caller.require_services()
    scope = None if body.scope is None else _narrowing(body.scope)
    if expires_at is not None and expires_at <= time.time():
        raise wrong_field("expires_at", "is in the past")
    presented, hash_key = PresentedKey.generate(), call.service.credentials.hash_key

    def work(tx: Transaction) -> RoleKeyWithSecret:
        principal = principals.get(tx.session, ROLE_PREFIX + role)
        narrowed = _narrowed(call, role, scope, rights.held(tx.session, principal))
        row = role_keys.create(
            tx, principal, presented, hash_key, name=body.name, scope=narrowed, expires_at=expires_at
        )
        return _with_secret(role, row, presented)

    return await call.change(work)


async def list_of_role(call: Call) -> Page[RoleKey]:
    role, limit, state = call.path("role"), call.query.limit, call.query.state
    call.caller.require("role-key:list", role)

    def work(session: Session) -> Page[RoleKey]:
        rows = role_keys.list_of(
            session,
            principals.get(session, ROLE_PREFIX + role),
            after=call.query.cursor,
            limit=limit + 1,
            created_by=call.query.created_by,
            expired=None if state is None else state == "expired",
            now=int(time.time()),
        )
        return page_of([_role_key(role, row) for row in rows], limit, lambda key: key.access)

    return await call.read(work)


async def renew(call: Call) -> RoleKeyWithSecret:
    role, access, grace = call.path("role"), call.path("access"), call.body.grace_seconds
    call.caller.require("role-key:renew", role)
    call.caller.require_services()
    hash_key = call.service.credentials.hash_key

    def work(tx: Transaction) -> RoleKeyWithSecret:
        principal = principals.get(tx.session, ROLE_PREFIX + role)
        row = role_keys.get(tx.session, principal, access)
        if row.expires_at is not None and row.expires_at <= tx.now:
            raise Denial("conflict", f"{access} has expired: make a new role key")
        if row.scope is None:
            call.caller.require("role:assume", role)
        else:
            call.caller.require_within(Scope.parse(row.scope), "the role key")
        presented = PresentedKey.generate(row.access)
        return _with_secret(role, role_keys.renew(tx, principal, presented, hash_key, grace=grace), presented)

    return await call.change(work)


async def delete(call: Call) -> DeletedRoleKey:
    """For good. Again it does nothing."""
    role, access = call.path("role"), call.path("access")
    call.caller.require("role-key:delete", role)
    made: list[str] = []
    with suppress(NotFound, role_keys.NoSuchKey):
        made = await call.change(
            lambda tx: role_keys.delete_key(tx, principals.get(tx.session, ROLE_PREFIX + role), access),
        )
    return DeletedRoleKey(deleted=access, made=made)


def _narrowing(text: str) -> Scope:
    try:
        scope = Scope.parse(text)
        refuse_selectors(scope.permissions)
    except InvalidPermission as error:
        raise wrong_field("scope", str(error)) from error
    if scope.words:
        raise wrong_field("scope", f"{scope.words[0][:100]!r} is no permission: write action@resource")
    if not scope:
        raise wrong_field("scope", "names no permission: leave it out for all that the role holds")
    return scope


def _narrowed(call: Call, role: str, scope: Scope | None, held: Scope) -> Scope | None:
    """What the new role key is narrowed to, so that it never becomes wider than who makes it.

    Only who may assume the role makes a key that follows it wherever it goes; a key that somebody else makes
    stays at what the role holds at this moment.
    """
    if scope is None and call.caller.scope.covers("role:assume", role):
        return None
    narrowed = held if scope is None else scope
    if not narrowed:
        raise Denial(
            "conflict", f"{role} holds no permission yet: add a policy first, or ask for role:assume@{role}"
        )
    call.caller.require_within(narrowed, "the role key")
    return narrowed


def _role_key(role: str, row: RoleKeyRow) -> RoleKey:
    return RoleKey(
        access=row.access,
        role=role,
        name=row.name,
        scope=row.scope,
        created_at=rfc3339.write(row.created_at),
        created_by=row.created_by,
        expires_at=rfc3339.write_optional(row.expires_at),
        last_exchanged_at=rfc3339.write_optional(row.last_exchanged_at),
    )


def _with_secret(role: str, row: RoleKeyRow, presented: PresentedKey) -> RoleKeyWithSecret:
    return RoleKeyWithSecret(**_role_key(role, row).model_dump(), secret=presented.secret)


_ALL = "/v1/roles/{role}/keys"
_ONE = _ALL + "/{access}"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Make a role key",
        permission="role-key:create@PRINCIPAL-NAME",
        handler=create,
        body=NewRoleKey,
        answer=RoleKeyWithSecret,
        status=201,
        refusals=("not_permitted", "not_found", "conflict"),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List role keys",
        permission="role-key:list@PRINCIPAL-NAME",
        handler=list_of_role,
        query=RoleKeyQuery,
        answer=Page[RoleKey],
        refusals=("not_found",),
    ),
    Operation(
        method="POST",
        path=_ONE + "/renew",
        summary="Give a role key a new secret",
        permission="role-key:renew@PRINCIPAL-NAME",
        handler=renew,
        body=Renewal,
        answer=RoleKeyWithSecret,
        refusals=("not_permitted", "not_found", "conflict"),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        summary="Delete a role key",
        permission="role-key:delete@PRINCIPAL-NAME",
        handler=delete,
        answer=DeletedRoleKey,
    ),
)
