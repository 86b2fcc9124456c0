"""Role keys of a user that are no API tokens, such as that of `hourmarkd init`: each with its page."""

from __future__ import annotations

from starlette.responses import Response

from issuer import plain_words
from issuer.api import user_keys
from issuer.api.query import PageQuery
from issuer.api.user_keys import UserKey
from issuer.console import deleted, forms
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.store.refusals import NotFound
from issuer.store.users import USER_PREFIX
from verifier import Scope

ONE = "/users/{user}/keys/{access}"
_MOST = 1000


async def of(person: Person, user: str) -> list[UserKey] | None:
    """None if the person may not look at them."""
    try:
        return await person.see_all(user_keys.list_of_user, PageQuery(), most=_MOST, user=user)
    except NotFound:
        return None


async def get_key(person: Person) -> Response:
    return await _page(person)


async def post_delete(person: Person) -> Response:
    key = await _key(person)
    try:
        forms.require_name_typed(person.form, key.name or key.access)
        gone = await person.do(user_keys.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    room, home = _home(person, key)
    return deleted.show(person, key.name or key.access, gone.made, room=room, back=f"{home}#keys")


async def _key(person: Person) -> UserKey:
    """Raises NotFound."""
    for key in await of(person, person.parameters["user"]) or ():
        if key.access == person.parameters["access"]:
            return key
    raise NotFound("the user has no such key")


def _home(person: Person, key: UserKey) -> tuple[str, str]:
    """The room where it is listed, and the page there."""
    return ("account", "/") if key.user == person.session.name else ("users", f"/users/{key.user}")


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    key = await _key(person)
    scope, (room, home) = None if key.scope is None else Scope.parse(key.scope), _home(person, key)
    is_own = room == "account"
    return person.page(
        "key.html",
        key=key,
        room=room,
        home=home,
        home_title="Account" if is_own else key.user,
        path=ONE.format(user=key.user, access=key.access),
        owner=USER_PREFIX + key.user,
        may_do=None if scope is None else [plain_words.of_permission(each) for each in scope.permissions],
        graces=None,
        may_delete=is_own or person.may("role-key:delete", USER_PREFIX + key.user),
        wrong=wrong,
    )


ROWS = (
    room_row("GET", ONE, get_key),
    room_row("POST", f"{ONE}/delete", post_delete),
)
