"""Roles: those that one may look at; each with what it may do, its keys, and who holds it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from issuer import plain_words
from issuer.api import memberships, policies, role_keys, roles, trust
from issuer.api.policies import NewPolicy, Policy
from issuer.api.query import IdPageQuery, PageQuery
from issuer.api.role_keys import RoleKeyQuery
from issuer.api.roles import NewRole, RoleQuery
from issuer.browser import see_other
from issuer.console import forms, listing
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.store.refusals import NotFound
from verifier import InvalidPermission, Permission
from verifier.decision import Decision, decide, is_request

LIST, NEW, ONE = "/roles", "/new-role", "/roles/{role}"
_MOST = 1000
"""Of each list, which is shown in parts. Who has more asks the API for them."""


@dataclass(frozen=True, slots=True)
class _Question:
    """May this role …? With what was typed, and the answer or what is wrong with it."""

    text: str
    wrong: str = ""
    decision: Decision | None = None


async def get_roles(person: Person) -> Response:
    listed = await listing.of(person, roles.list_all, RoleQuery, "prefix")
    return person.page("roles.html", listed=listed, wrong=listed.wrong)


async def get_new(person: Person) -> Response:
    return _new(person)


async def post_new(person: Person) -> Response:
    try:
        made = await person.do(
            roles.create, forms.read(NewRole, {"name": person.form.get("name", "").strip()})
        )
    except REFUSALS as error:
        return _new(person, by_field(error))
    return see_other(f"{LIST}/{made.name}")


async def get_role(person: Person) -> Response:
    return await _page(person)


async def post_policy(person: Person) -> Response:
    await person.see(roles.get)
    try:
        text = person.form.get("permission", "").strip()
        await person.do(policies.create, forms.read(NewPolicy, {"permission": text}))
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(f"{ONE}#policies".format(**person.parameters))


async def post_delete_policy(person: Person) -> Response:
    await person.see(roles.get)
    try:
        await person.do(policies.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(f"{ONE}#policies".format(**person.parameters))


async def post_delete(person: Person) -> Response:
    role = await person.see(roles.get)
    try:
        forms.require_name_typed(person.form, role.name)
        await person.do(roles.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(LIST)


def _new(person: Person, wrong: Wrong = NOTHING) -> Response:
    return person.page("role_new.html", filled=person.form, wrong=wrong)


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    role, version = await person.see_version(roles.get)
    held = await person.see_all(policies.list_of_role, IdPageQuery(), most=_MOST)
    try:
        keys = await person.see_all(role_keys.list_of_role, RoleKeyQuery(), most=_MOST)
    except NotFound:
        keys = None  # nothing that this user may look at
    members = await person.see_all(memberships.list_of_role, PageQuery(), most=_MOST)
    trusted = await person.see_all(trust.list_of_role, PageQuery(), most=_MOST)
    shown = listing.newest_of(held, person, "policies")
    return person.page(
        "role.html",
        role=role,
        version=version,
        policies=shown,
        in_words={each.id: plain_words.of_policy(Permission.parse(each.permission)) for each in shown.items},
        keys=None if keys is None else listing.newest_of(keys, person, "keys"),
        trust=listing.newest_of(trusted, person, "trust"),
        members=listing.newest_of(members, person, "members"),
        most=_MOST,
        is_cut_off={"keys": len(keys or ()) == _MOST, "members": len(members) == _MOST},
        question=_answered(person.query.get("may", "").strip(), held),
        filled=person.form,
        wrong=wrong,
    )


def _answered(text: str, held: list[Policy]) -> _Question:
    if not text:
        return _Question("")
    try:
        request = Permission.parse(text)
    except InvalidPermission as error:
        return _Question(text, wrong=str(error))
    if not is_request(request):
        return _Question(text, wrong="ask about one action on one resource, such as data:get@my-set[group=A]")
    return _Question(text, decision=decide(request, [Permission.parse(each.permission) for each in held]))


ROWS = (
    room_row("GET", LIST, get_roles),
    room_row("GET", NEW, get_new),
    room_row("POST", NEW, post_new),
    room_row("GET", ONE, get_role),
    room_row("POST", f"{ONE}/policies", post_policy),
    room_row("POST", f"{ONE}/policies/{{policy}}/delete", post_delete_policy),
    room_row("POST", f"{ONE}/delete", post_delete),
)
