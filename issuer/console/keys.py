"""Role keys of a role: made and shown once, each with its page, where it is renewed and deleted."""

from __future__ import annotations

from starlette.responses import Response

from issuer import plain_words, rfc3339
from issuer.api import role_keys, roles
from issuer.api.role_keys import NewRoleKey, Renewal, RoleKey, RoleKeyQuery, RoleKeyWithSecret
from issuer.console import deleted, expiry, forms, shown_once
from issuer.console.expiry import GRACES
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.console.shown_once import Shown
from issuer.store.principals import ROLE_PREFIX
from issuer.store.refusals import NotFound
from verifier import Scope

_ROLE = "/roles/{role}"
NEW, ONE = f"{_ROLE}/keys/new", f"{_ROLE}/keys/{{access}}"
_FIELDS = {"expires_at": "expires"}
_MOST = 1000


async def get_new(person: Person) -> Response:
    return await _new(person)


async def post_new(person: Person) -> Response:
    await person.see(roles.get)
    form = person.form
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
        made = await person.do(role_keys.create, asked)
    except REFUSALS as error:
        return await _new(person, by_field(error, _FIELDS))
    return _shown(person, made)


async def get_key(person: Person) -> Response:
    return await _page(person)


async def post_renew(person: Person) -> Response:
    await _key(person)
    try:
        asked = forms.read(Renewal, {"grace_seconds": person.form.get("grace", "0")})
        renewed = await person.do(role_keys.renew, asked)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return _shown(person, renewed)


async def post_delete(person: Person) -> Response:
    key = await _key(person)
    try:
        forms.require_name_typed(person.form, key.name or key.access)
        gone = await person.do(role_keys.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    back = f"{_ROLE}#keys".format(**person.parameters)
    return deleted.show(person, key.name or key.access, gone.made, room="roles", back=back)


async def _key(person: Person) -> RoleKey:
    """Raises NotFound."""
    for key in await person.see_all(role_keys.list_of_role, RoleKeyQuery(), most=_MOST):
        if key.access == person.parameters["access"]:
            found: RoleKey = key
            return found
    raise NotFound("the role has no such key")


async def _new(person: Person, wrong: Wrong = NOTHING) -> Response:
    return person.page(
        "key_new.html",
        role=await person.see(roles.get),
        filled=person.form,
        wrong=wrong,
        expiries=expiry.choices(None),
        expires=expiry.chosen(person.form),
        tomorrow=expiry.tomorrow(),
    )


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    key = await _key(person)
    scope = None if key.scope is None else Scope.parse(key.scope)
    return person.page(
        "key.html",
        key=key,
        room="roles",
        home=f"/roles/{key.role}",
        home_title=key.role,
        path=ONE.format(role=key.role, access=key.access),
        owner=ROLE_PREFIX + key.role,
        may_do=None if scope is None else [plain_words.of_permission(each) for each in scope.permissions],
        graces=GRACES if person.may("role-key:renew", key.role) else None,
        may_delete=person.may("role-key:delete", key.role),
        wrong=wrong,
    )


def _shown(person: Person, made: RoleKeyWithSecret) -> Response:
    shown = Shown(
        title=made.name or made.access,
        what="role key",
        secret=f"{made.access}:{made.secret}",
        expires_at=made.expires_at,
        page=ONE.format(role=made.role, access=made.access),
        room="roles",
    )
    return shown_once.show(person, shown)


ROWS = (
    room_row("GET", NEW, get_new, is_proof_needed=True),
    room_row("POST", NEW, post_new, is_proof_needed=True),
    room_row("GET", ONE, get_key),
    room_row("POST", f"{ONE}/renew", post_renew, is_proof_needed=True),
    room_row("POST", f"{ONE}/delete", post_delete),
)
