"""Role keys of a role: made and shown once, each with its page, where it is renewed and deleted."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from issuer import rfc3339
from issuer.api import role_keys, roles
from issuer.api.role_keys import NewRoleKey, Renewal, RoleKey, RoleKeyQuery, RoleKeyWithSecret
from issuer.authorization import words
from issuer.console import expiry, forms, shown_once
from issuer.console.expiry import GRACES
from issuer.console.pages import see_other
from issuer.console.refusals import REFUSALS, by_field
from issuer.console.shown_once import Shown
from issuer.console.visit import Visit, room_row
from issuer.store.refusals import NotFound
from verifier import Scope

_ROLE = "/roles/{role}"
NEW, ONE = f"{_ROLE}/keys/new", f"{_ROLE}/keys/{{access}}"
_FIELDS = {"expires_at": "expires"}
_MOST = 1000


async def get_new(visit: Visit) -> Response:
    return await _new(visit, {})


async def post_new(visit: Visit) -> Response:
    await visit.see(roles.get)
    form = visit.form
    try:
        end = expiry.read(form)
        scope = " ".join(form.get("scope", "").split())
        asked = forms.read(
            NewRoleKey,
            {
                "name": form.get("name", "").strip(),
                "scope": scope or None,
                "expires_at": None if end is None else rfc3339.write(end),
            },
        )
        made = await visit.do(role_keys.create, asked)
    except REFUSALS as error:
        return await _new(visit, by_field(error, _FIELDS))
    return _shown(visit, made)


async def get_key(visit: Visit) -> Response:
    return await _page(visit, {})


async def post_renew(visit: Visit) -> Response:
    await _key(visit)
    try:
        asked = forms.read(Renewal, {"grace_seconds": visit.form.get("grace", "0")})
        renewed = await visit.do(role_keys.renew, asked)
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return _shown(visit, renewed)


async def post_delete(visit: Visit) -> Response:
    key = await _key(visit)
    try:
        forms.require_name_typed(visit.form, key.name or key.access)
        await visit.do(role_keys.delete)
    except REFUSALS as error:
        return await _page(visit, by_field(error))
    return see_other(f"{_ROLE}#keys".format(**visit.parameters))


async def _key(visit: Visit) -> RoleKey:
    """Raises NotFound."""
    for key in await visit.see_all(role_keys.list_of_role, RoleKeyQuery(), most=_MOST):
        if key.access == visit.parameters["access"]:
            found: RoleKey = key
            return found
    raise NotFound("the role has no such key")


async def _new(visit: Visit, wrong: Mapping[str, str]) -> Response:
    return visit.page(
        "key_new.html",
        status=400 if wrong else 200,
        role=await visit.see(roles.get),
        filled=visit.form,
        wrong=wrong,
        expiries=expiry.choices(None),
        tomorrow=expiry.tomorrow(),
    )


async def _page(visit: Visit, wrong: Mapping[str, str]) -> Response:
    key = await _key(visit)
    scope = None if key.scope is None else Scope.parse(key.scope)
    return visit.page(
        "key.html",
        status=400 if wrong else 200,
        key=key,
        may_do=None if scope is None else [words.of_permission(each) for each in scope.permissions],
        graces=GRACES,
        wrong=wrong,
    )


def _shown(visit: Visit, made: RoleKeyWithSecret) -> Response:
    shown = Shown(
        title=made.name or made.access,
        what="role key",
        secret=f"{made.access}:{made.secret}",
        expires_at=made.expires_at,
        audience=visit.service.settings.audiences[0],
        page=ONE.format(role=made.role, access=made.access),
        room="roles",
    )
    return shown_once.show(visit, shown)


ROWS = (
    room_row("GET", NEW, get_new, proof_for=NEW),
    room_row("POST", NEW, post_new, proof_for=NEW),
    room_row("GET", ONE, get_key),
    room_row("POST", f"{ONE}/renew", post_renew, proof_for=ONE),
    room_row("POST", f"{ONE}/delete", post_delete),
)
