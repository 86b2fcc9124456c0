"""Role keys of a role: make, list, renew, delete. A secret is in the answer that made it and nowhere else."""

from __future__ import annotations

import time
from datetime import datetime

import anyio
from pydantic import AwareDatetime, BaseModel, Field

from issuer import rfc3339
from issuer.api.operation import Body, Call, Operation, Page, page_of
from issuer.denials import Denial, wrong_field
from issuer.store import principals, role_keys
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import RoleKeyRow
from keys import RoleKey as PresentedKey
from verifier import InvalidPermission, Scope

_MAX_GRACE = 30 * 86400
_LATEST = datetime.fromisoformat("9999-12-31T00:00:00Z")


class NewRoleKey(Body):
    name: str = Field(default="", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    scope: str | None = None
    """Permissions that it is narrowed to; all of the role's without."""
    expires_at: AwareDatetime | None = Field(default=None, lt=_LATEST)


class Renewal(Body):
    grace_seconds: int = Field(default=0, ge=0, le=_MAX_GRACE)
    """How long the old secret and its tokens stay good; 0 ends them now."""


class RoleKey(BaseModel):
    access: str
    role: str
    name: str
    scope: str | None
    created_at: str
    created_by: str
    expires_at: str | None
    last_exchanged_at: str | None


class RoleKeyWithSecret(RoleKey):
    secret: str = Field(repr=False)


class DeletedRoleKey(BaseModel):
    deleted: str
    made: list[str]
    """The access ids of the role keys that were made with it; they live on."""


async def create(call: Call) -> RoleKeyWithSecret:
    role, body = call.path("role"), call.body
    call.caller.require("role-key:create", role)
    scope = None if body.scope is None else _narrowing(body.scope)
    expires_at = None if body.expires_at is None else int(body.expires_at.timestamp())
    if expires_at is not None and expires_at <= time.time():
        raise wrong_field("expires_at", "is in the past")
    presented, hash_key = PresentedKey.generate(), call.service.credentials.hash_key

    def work(tx: Transaction) -> RoleKeyWithSecret:
        principal = principals.get(tx.session, ROLE_PREFIX + role)
        narrowed = _narrowed(call, role, scope, principals.held(tx.session, principal))
        row = role_keys.create(
            tx, principal, presented, hash_key, name=body.name, scope=narrowed, expires_at=expires_at
        )
        return _with_secret(role, row, presented)

    return await call.change(work)


async def list_of_role(call: Call) -> Page[RoleKey]:
    role = call.path("role")
    call.caller.require("role-key:list", role)
    cursor, limit = call.page()

    def read() -> Page[RoleKey]:
        with call.service.database.read() as session:
            principal = principals.get(session, ROLE_PREFIX + role)
            rows = role_keys.list_of(session, principal, after=cursor, limit=limit + 1)
            items, next_cursor = page_of(
                [_role_key(role, row) for row in rows], limit, lambda key: key.access
            )
            return Page(items=items, next_cursor=next_cursor)

    return await anyio.to_thread.run_sync(read)


async def renew(call: Call) -> RoleKeyWithSecret:
    role, access, grace = call.path("role"), call.path("access"), call.body.grace_seconds
    call.caller.require("role-key:renew", role)
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
    try:
        made = await call.change(
            lambda tx: role_keys.delete_key(tx, principals.get(tx.session, ROLE_PREFIX + role), access),
        )
    except (principals.NotFound, role_keys.NoSuchKey):
        made = []
    return DeletedRoleKey(deleted=access, made=made)


def _narrowing(text: str) -> Scope:
    try:
        scope = Scope.parse(text)
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
_NAME = "PRINCIPAL-NAME"
OPERATIONS = (
    Operation(
        "POST",
        _ALL,
        "Make a role key",
        f"role-key:create@{_NAME}",
        create,
        RoleKeyWithSecret,
        NewRoleKey,
        201,
    ),
    Operation(
        "GET", _ALL, "List role keys", f"role-key:list@{_NAME}", list_of_role, Page[RoleKey], is_list=True
    ),
    Operation(
        "POST",
        _ONE + "/renew",
        "Give a role key a new secret",
        f"role-key:renew@{_NAME}",
        renew,
        RoleKeyWithSecret,
        Renewal,
    ),
    Operation("DELETE", _ONE, "Delete a role key", f"role-key:delete@{_NAME}", delete, DeletedRoleKey),
)
