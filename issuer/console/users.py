"""Users: those that one may look at; invited, given roles, disabled, signed out, deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from issuer.api import invitations, memberships, sign_ins, users
from issuer.api.invitations import Invitation, NewInvitation
from issuer.api.memberships import NewMembership
from issuer.api.operation import Call, Versioned
from issuer.api.query import PageQuery
from issuer.api.users import NewUser, Profile, UserQuery
from issuer.console import forms, listing
from issuer.console.pages import see_other
from issuer.console.refusals import REFUSALS, by_field
from issuer.console.visit import Visit, room_row

LIST, NEW, ONE = "/users", "/new-user", "/users/{user}"
_MOST = 200


async def get_users(visit: Visit) -> Response:
    listed = await listing.of(visit, users.list_all, UserQuery, "prefix", "state")
    return visit.page("users.html", status=400 if listed.wrong else 200, listed=listed, wrong=listed.wrong)


async def get_new(visit: Visit) -> Response:
    return _new(visit, {})


async def post_new(visit: Visit) -> Response:
    try:
        given = forms.given(visit.form, "name", "display_name", "email")
        made = await visit.do(users.create, forms.read(NewUser, {"name": "", **given}))
    except REFUSALS as error:
        return _new(visit, by_field(error))
    return see_other(f"{LIST}/{made.name}")


async def get_user(visit: Visit) -> Response:
    return await _page(visit, {})


async def post_profile(visit: Visit) -> Response:
    form = visit.form
    profile = {
        "display_name": form.get("display_name", "").strip(),
        "email": form.get("email", "").strip() or None,
    }
    return await _changed(visit, lambda: visit.do(users.update, forms.read(Profile, profile)))


async def post_give(visit: Visit) -> Response:
    role = {"role": visit.form.get("role", "").strip()}
    return await _changed(visit, lambda: visit.do(memberships.give, forms.read(NewMembership, role)))


async def post_take(visit: Visit) -> Response:
    return await _changed(visit, lambda: visit.do(memberships.take))


async def post_sign_out(visit: Visit) -> Response:
    return await _changed(visit, lambda: visit.do(sign_ins.end_all))


async def post_invite(visit: Visit) -> Response:
    """The link opens the user: it is shown once, in this answer."""
    await visit.see(users.get)
    try:
        link: Invitation = await visit.do(invitations.create, NewInvitation())
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return visit.page("user_invited.html", link=link)


async def post_delete(visit: Visit) -> Response:
    user = await visit.see(users.get)
    try:
        forms.require_name_typed(visit.form, user.name)
        await visit.do(users.delete)
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(LIST)


def _switch(operation: Callable[[Call], Awaitable[Versioned]]) -> Callable[[Visit], Awaitable[Response]]:
    async def post(visit: Visit) -> Response:
        return await _changed(visit, lambda: visit.do(operation))

    return post


async def _changed(visit: Visit, change: Callable[[], Awaitable[object]]) -> Response:
    await visit.see(users.get)
    try:
        await change()
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(ONE.format(**visit.parameters))


def _new(visit: Visit, wrong: Mapping[str, str]) -> Response:
    return visit.page("user_new.html", status=400 if wrong else 200, filled=visit.form, wrong=wrong)


async def _page(visit: Visit, wrong: Mapping[str, str]) -> Response:
    user = await visit.see(users.get)
    shown = {"display_name": user.display_name, "email": user.email or ""}
    return visit.page(
        "user.html",
        status=400 if wrong else 200,
        user=user,
        roles=await visit.see_all(memberships.list_of_user, PageQuery(), most=_MOST),
        filled=shown | dict(visit.form),
        wrong=wrong,
    )


ROWS = (
    room_row("GET", LIST, get_users),
    room_row("GET", NEW, get_new),
    room_row("POST", NEW, post_new),
    room_row("GET", ONE, get_user),
    room_row("POST", ONE, post_profile),
    room_row("POST", f"{ONE}/roles", post_give),
    room_row("POST", f"{ONE}/roles/{{role}}/take", post_take),
    room_row("POST", f"{ONE}/invite", post_invite, proof_for=ONE),
    room_row("POST", f"{ONE}/sign-out", post_sign_out),
    room_row("POST", f"{ONE}/disable", _switch(users.disable)),
    room_row("POST", f"{ONE}/enable", _switch(users.enable)),
    room_row("POST", f"{ONE}/delete", post_delete),
)
