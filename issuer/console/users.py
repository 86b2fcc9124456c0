"""Users: those that one may look at; invited, given roles, disabled, signed out, deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from issuer import plain_words
from issuer.api import invitations, memberships, sign_ins, users
from issuer.api.invitations import Invitation, NewInvitation
from issuer.api.memberships import NewMembership
from issuer.api.operation import Call, Versioned
from issuer.api.query import PageQuery
from issuer.api.users import NewUser, Profile, UserQuery
from issuer.browser import see_other
from issuer.console import forms, listing, user_keys
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from verifier import Permission

LIST, NEW, ONE = "/users", "/new-user", "/users/{user}"
_MOST = 200


async def get_users(person: Person) -> Response:
    listed = await listing.of(person, users.list_all, UserQuery, "prefix", "state")
    return person.page("users.html", listed=listed, wrong=listed.wrong)


async def get_new(person: Person) -> Response:
    return _new(person)


async def post_new(person: Person) -> Response:
    try:
        given = forms.given(person.form, "name", "display_name", "email")
        made = await person.do(users.create, forms.read(NewUser, {"name": "", **given}))
    except REFUSALS as error:
        return _new(person, by_field(error))
    return see_other(f"{LIST}/{made.name}")


async def get_user(person: Person) -> Response:
    return await _page(person)


async def post_profile(person: Person) -> Response:
    form = person.form
    profile = {
        "display_name": form.get("display_name", "").strip(),
        "email": form.get("email", "").strip() or None,
    }
    return await _changed(person, lambda: person.do(users.update, forms.read(Profile, profile)))


async def post_give(person: Person) -> Response:
    role = {"role": person.form.get("role", "").strip()}
    return await _changed(person, lambda: person.do(memberships.give, forms.read(NewMembership, role)))


async def post_take(person: Person) -> Response:
    return await _changed(person, lambda: person.do(memberships.take))


async def post_sign_out(person: Person) -> Response:
    return await _changed(person, lambda: person.do(sign_ins.end_all))


async def post_invite(person: Person) -> Response:
    """The link opens the user: it is shown once, in this answer."""
    await person.see(users.get)
    try:
        link: Invitation = await person.do(invitations.create, NewInvitation())
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return person.page("user_invited.html", link=link)


async def post_delete(person: Person) -> Response:
    user = await person.see(users.get)
    try:
        forms.require_name_typed(person.form, user.name)
        await person.do(users.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(LIST)


def _switch(operation: Callable[[Call], Awaitable[Versioned]]) -> Callable[[Person], Awaitable[Response]]:
    async def post(person: Person) -> Response:
        return await _changed(person, lambda: person.do(operation))

    return post


async def _changed(person: Person, change: Callable[[], Awaitable[object]]) -> Response:
    await person.see(users.get)
    try:
        await change()
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(ONE.format(**person.parameters))


def _new(person: Person, wrong: Wrong = NOTHING) -> Response:
    return person.page("user_new.html", filled=person.form, wrong=wrong)


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    user, version = await person.see_version(users.get)
    keys = await user_keys.of(person, user.name)
    shown = {"display_name": user.display_name, "email": user.email or ""}
    editing = forms.editing(person.form, shown, wrong)
    return person.page(
        "user.html",
        user=user,
        roles=await person.see_all(memberships.list_of_user, PageQuery(), most=_MOST),
        own=[plain_words.of_policy(Permission.parse(each)) for each in user.permissions],
        keys=None if keys is None else listing.newest_of(keys, person, "keys"),
        version=version,
        filled=dict(person.form) | dict(editing.filled),
        was=editing.was,
        wrong=editing.wrong,
    )


ROWS = (
    room_row("GET", LIST, get_users),
    room_row("GET", NEW, get_new),
    room_row("POST", NEW, post_new),
    room_row("GET", ONE, get_user),
    room_row("POST", ONE, post_profile),
    room_row("POST", f"{ONE}/roles", post_give),
    room_row("POST", f"{ONE}/roles/{{role}}/take", post_take),
    room_row("POST", f"{ONE}/invite", post_invite, is_proof_needed=True),
    room_row("POST", f"{ONE}/sign-out", post_sign_out),
    room_row("POST", f"{ONE}/disable", _switch(users.disable)),
    room_row("POST", f"{ONE}/enable", _switch(users.enable)),
    room_row("POST", f"{ONE}/delete", post_delete),
)
