"""Roles: those that one may look at; each with what it may do, its keys, and who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from issuer.api import memberships, policies, role_keys, roles, trust
from issuer.api.policies import NewPolicy, Policy
from issuer.api.query import IdPageQuery, PageQuery
from issuer.api.role_keys import RoleKeyQuery
from issuer.api.roles import NewRole, RoleQuery
from issuer.authorization import words
from issuer.console import forms, listing
from issuer.console.pages import see_other
from issuer.console.refusals import REFUSALS, by_field
from issuer.console.visit import Visit, room_row
from issuer.store.refusals import NotFound
from verifier import InvalidPermission, Permission
from verifier.decision import Decision, decide, is_request

LIST, NEW, ONE = "/roles", "/new-role", "/roles/{role}"
_MOST = 256


@dataclass(frozen=True, slots=True)
class _Question:
    """May this role …? With what was typed, and the answer or what is wrong with it."""

    text: str
    wrong: str = ""
    decision: Decision | None = None


async def get_roles(visit: Visit) -> Response:
    listed = await listing.of(visit, roles.list_all, RoleQuery, "prefix")
    return visit.page("roles.html", status=400 if listed.wrong else 200, listed=listed, wrong=listed.wrong)


async def get_new(visit: Visit) -> Response:
    return _new(visit, {})


async def post_new(visit: Visit) -> Response:
    try:
        made = await visit.do(roles.create, forms.read(NewRole, {"name": visit.form.get("name", "").strip()}))
    except REFUSALS as error:
        return _new(visit, by_field(error))
    return see_other(f"{LIST}/{made.name}")


async def get_role(visit: Visit) -> Response:
    return await _page(visit, {})


async def post_policy(visit: Visit) -> Response:
    await visit.see(roles.get)
    try:
        text = visit.form.get("permission", "").strip()
        await visit.do(policies.create, forms.read(NewPolicy, {"permission": text}))
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(f"{ONE}#policies".format(**visit.parameters))


async def post_delete_policy(visit: Visit) -> Response:
    await visit.see(roles.get)
    try:
        await visit.do(policies.delete)
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(f"{ONE}#policies".format(**visit.parameters))


async def post_delete(visit: Visit) -> Response:
    role = await visit.see(roles.get)
    try:
        forms.require_name_typed(visit.form, role.name)
        await visit.do(roles.delete)
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(LIST)


def _new(visit: Visit, wrong: Mapping[str, str]) -> Response:
    return visit.page("role_new.html", status=400 if wrong else 200, filled=visit.form, wrong=wrong)


async def _page(visit: Visit, wrong: Mapping[str, str]) -> Response:
    role = await visit.see(roles.get)
    held = await visit.see_all(policies.list_of_role, IdPageQuery(), most=_MOST)
    try:
        keys = await visit.see_all(role_keys.list_of_role, RoleKeyQuery(), most=_MOST)
    except NotFound:
        keys = None  # nothing that this user may look at
    return visit.page(
        "role.html",
        status=400 if wrong else 200,
        role=role,
        policies=[(each, words.of_permission(Permission.parse(each.permission))) for each in held],
        keys=keys,
        trust=await visit.see_all(trust.list_of_role, PageQuery(), most=_MOST),
        members=await visit.see_all(memberships.list_of_role, PageQuery(), most=_MOST),
        question=_answered(visit.query.get("may", "").strip(), held),
        filled=visit.form,
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
