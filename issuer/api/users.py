"""Users: make, list, look at, change, disable, delete."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from sqlmodel import Session

from issuer import rfc3339
from issuer.api.display_names import DisplayName
from issuer.api.operation import Answer, Body, Call, Operation, Versioned
from issuer.api.query import NamePrefix, Page, PageQuery, page_of
from issuer.api.worded import worded
from issuer.denials import Denial, wrong_field
from issuer.store import names, principals, users
from issuer.store.credentials import Deleted
from issuer.store.database import Transaction
from issuer.store.users import USER_PREFIX

Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+$"),
    worded("write an e-mail address, such as ada@people.example"),
]


class NewUser(Body):
    name: str
    display_name: DisplayName = ""
    email: Email | None = None


class Profile(Body):
    """Members that are not sent stay as they are."""

    display_name: DisplayName | None = None
    email: Email | None = None


class UserQuery(PageQuery):
    prefix: NamePrefix | None = None
    """What the names begin with."""
    state: Literal["active", "disabled"] | None = None


class User(Answer):
    name: str
    display_name: str
    email: str | None
    state: Literal["active", "disabled"]
    roles: list[str]
    permissions: list[str]
    """Its own, beside those of its roles."""
    created_at: rfc3339.Written
    created_by: str


class DeletedUser(Answer):
    deleted: str
    keys: list[str]
    """The access ids of the role keys that went with it."""
    made: list[str]
    """The role keys and trust policies that were made with these; they live on."""
    apps: list[str]
    """The names of the apps that it owned, which went with it."""


async def create(call: Call) -> Versioned:
    try:
        name = names.check_user_name(call.body.name)
    except names.InvalidName as error:
        raise wrong_field("name", str(error)) from error
    call.caller.require("user:create", name)

    def work(tx: Transaction) -> Versioned:
        made = users.create(tx, name, display_name=call.body.display_name, email=call.body.email)
        return _versioned(tx.session, made)

    return await call.change(work)


async def list_all(call: Call) -> Page[User]:
    """Of all users those that the caller may look at: nothing else is read, or counts for a cursor."""
    query, visible = call.query, call.caller.scope.names_for("user:get")

    def work(session: Session) -> Page[User]:
        rows = users.list_all(
            session,
            after=query.cursor,
            limit=query.limit + 1,
            within=visible,
            prefix=query.prefix or "",
            disabled=None if query.state is None else query.state == "disabled",
        )
        return page_of([_user(session, row) for row in rows], query.limit, lambda user: user.name)

    return await call.read(work)


async def get(call: Call) -> Versioned:
    name = call.path("user")
    call.caller.require("user:get", name)
    return await call.read(lambda session: _versioned(session, users.get(session, name)))


async def update(call: Call) -> Versioned:
    name, given = call.path("user"), call.body.model_dump(exclude_unset=True)
    call.caller.require("user:update", name)

    def work(tx: Transaction) -> Versioned:
        user = users.get(tx.session, name)
        call.preconditions.require(user.principal.version)
        users.set_profile(
            tx,
            user,
            display_name=given.get("display_name", user.account.display_name) or "",
            email=given.get("email", user.account.email),
        )
        return _versioned(tx.session, user)

    return await call.change(work)


async def disable(call: Call) -> Versioned:
    """Every token, role key and app of the user is refused from now on. Again it does nothing."""
    return await _switch(call, "disable")


async def enable(call: Call) -> Versioned:
    """Role keys and apps work again; tokens from before stay ended. Again it does nothing."""
    return await _switch(call, "enable")


async def delete(call: Call) -> DeletedUser:
    """For good. Again, or for a user who never was, it does nothing."""
    name = call.path("user")
    call.caller.require("user:delete", name)
    _refuse_own(call, name)

    def work(tx: Transaction) -> DeletedUser:
        user = users.find(tx.session, name)
        call.preconditions.require(user.principal.version if user else None)
        gone = users.delete_user(tx, user) if user else Deleted([], [], [])
        return DeletedUser(deleted=name, keys=gone.keys, made=gone.made, apps=gone.apps)

    return await call.change(work)


async def _switch(call: Call, how: Literal["disable", "enable"]) -> Versioned:
    name = call.path("user")
    call.caller.require(f"user:{how}", name)
    _refuse_own(call, name)

    def work(tx: Transaction) -> Versioned:
        user = users.get(tx.session, name)
        call.preconditions.require(user.principal.version)
        (users.disable if how == "disable" else users.enable)(tx, user)
        return _versioned(tx.session, user)

    return await call.change(work)


def _refuse_own(call: Call, name: str) -> None:
    """The last administrator would be outside, and nobody there to open."""
    if call.caller.principal == USER_PREFIX + name:
        raise Denial("conflict", "nobody disables or deletes themselves: ask another administrator")


def _versioned(session: Session, user: users.User) -> Versioned:
    return Versioned(_user(session, user), user.principal.version)


def _user(session: Session, user: users.User) -> User:
    return User(
        name=user.name,
        display_name=user.account.display_name,
        email=user.account.email,
        state="active" if user.account.disabled_at is None else "disabled",
        roles=[
            role.name.removeprefix(principals.ROLE_PREFIX) for role, _ in users.memberships(session, user)
        ],
        permissions=[row.permission for row in principals.policies_of(session, user.principal)],
        created_at=rfc3339.write(user.principal.created_at),
        created_by=user.principal.created_by,
    )


_ALL, _ONE = "/v1/users", "/v1/users/{user}"
OPERATIONS = (
    Operation(
        method="POST",
        path=_ALL,
        summary="Make a user",
        permission="user:create@USER",
        handler=create,
        body=NewUser,
        answer=User,
        status=201,
        location="/v1/users/{name}",
        has_etag=True,
        refusals=("conflict",),
    ),
    Operation(
        method="GET",
        path=_ALL,
        summary="List users",
        permission="user:get@USER",
        handler=list_all,
        query=UserQuery,
        answer=Page[User],
    ),
    Operation(
        method="GET",
        path=_ONE,
        summary="Look at a user",
        permission="user:get@USER",
        handler=get,
        answer=User,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        summary="Change name and e-mail of a user",
        permission="user:update@USER",
        handler=update,
        body=Profile,
        answer=User,
        has_etag=True,
        is_conditional=True,
        refusals=("not_found",),
    ),
    *(
        Operation(
            method="POST",
            path=f"{_ONE}/{how}",
            summary=f"{how.capitalize()} a user",
            permission=f"user:{how}@USER",
            handler=handler,
            answer=User,
            has_etag=True,
            is_conditional=True,
            refusals=("not_found", "conflict"),
        )
        for how, handler in (("disable", disable), ("enable", enable))
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        summary="Delete a user with all role keys and apps",
        permission="user:delete@USER",
        handler=delete,
        answer=DeletedUser,
        is_conditional=True,
        refusals=("conflict",),
    ),
)
