"""API tokens: those that one has, filtered; each with its page, where it is renewed and deleted."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from issuer import plain_words
from issuer.api import token_activity, tokens
from issuer.api.role_keys import Renewal
from issuer.api.token_form import ApiTokenAnswer, ApiTokenWithSecret
from issuer.api.tokens import ApiTokenQuery
from issuer.console import chart, deleted, forms, listing, shown_once
from issuer.console.expiry import GRACES
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.console.shown_once import Shown
from issuer.presets import broad
from verifier import Scope

LIST = "/tokens"
ONE = "/tokens/{id}"
_MOST, _ON_A_PAGE = 1000, 50
"""Who has more asks the API for them."""


async def get_tokens(person: Person) -> Response:
    found = await person.see_all(tokens.list_of_owner, ApiTokenQuery(), most=_MOST)
    asked = forms.given(person.query, "cursor", "text", "state", "label")
    all_asked_for = (token for token in found if _is_asked_for(token, asked))
    listed = listing.part_of(
        sorted(all_asked_for, key=lambda token: token.name.casefold()), asked, _ON_A_PAGE
    )
    return person.page(
        "tokens.html",
        listed=listed,
        has_any=bool(found),
        most=_MOST if len(found) == _MOST else None,
        presets=person.service.settings.presets,
    )


async def get_token(person: Person) -> Response:
    return await _page(person)


async def post_renew(person: Person) -> Response:
    await person.see(tokens.get)
    try:
        asked = forms.read(Renewal, {"grace_seconds": person.form.get("grace", "0")})
        renewed = await person.do(tokens.renew, asked)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return show(person, renewed)


async def post_delete(person: Person) -> Response:
    token = await person.see(tokens.get)
    try:
        forms.require_name_typed(person.form, token.name)
        gone = await person.do(tokens.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return deleted.show(person, token.name, gone.made, room="tokens", back=LIST)


def show(person: Person, made: ApiTokenWithSecret) -> Response:
    shown = Shown(
        title=made.name,
        what="API token",
        secret=made.token,
        expires_at=made.expires_at,
        audiences=made.audiences,
        page=f"{LIST}/{made.id}",
        room="tokens",
    )
    return shown_once.show(person, shown)


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    token = await person.see(tokens.get)
    activity = await person.see(token_activity.get)
    permissions = Scope.parse(token.scope)
    return person.page(
        "token.html",
        token=token,
        may_do=[plain_words.of_permission(each) for each in permissions.permissions],
        broad=[plain_words.of_permission(each) for each in broad(permissions)],
        chart=chart.of_exchanges(activity.hours),
        changes=activity.changes,
        old_secret_ends_at=activity.old_secret_ends_at,
        presets=person.service.settings.presets,
        graces=GRACES,
        wrong=wrong,
    )


def _is_asked_for(token: ApiTokenAnswer, asked: Mapping[str, str]) -> bool:
    text = asked.get("text", "").casefold()
    said = (token.name, token.description, token.prefix, *token.resources)
    labels = {label for selector in token.label_selectors for label in selector.split(",")}
    return (
        any(text in each.casefold() for each in said)
        and asked.get("state", token.state) == token.state
        and ("label" not in asked or asked["label"] in labels)
    )


ROWS = (
    room_row("GET", LIST, get_tokens),
    room_row("GET", ONE, get_token),
    room_row("POST", f"{ONE}/renew", post_renew, is_proof_needed=True),
    room_row("POST", f"{ONE}/delete", post_delete),
)
