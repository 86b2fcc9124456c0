"""Apps: those that one owns or may look at; registered, changed, given a new secret, deleted."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from issuer import plain_words
from issuer.api import apps
from issuer.api.query import PageQuery
from issuer.api.registered_apps import App, RegisteredApp
from issuer.api.registration import Changes, NewApp
from issuer.browser import see_other
from issuer.console import forms, listing
from issuer.console.person import Person, room_row
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.denials import wrong_field
from verifier import Scope

LIST, NEW, ONE = "/apps", "/new-app", "/apps/{app}"
_AUTHENTICATIONS = (
    ("none", "Nothing: it is in browsers or on people's own machines"),
    ("client_secret_basic", "A secret"),
    ("private_key_jwt", "A signature by its own key"),
)
_TEXTS = ("description", "host", "audience", "token_endpoint_auth_method", "id_token_signed_response_alg")


async def get_apps(person: Person) -> Response:
    listed = await listing.of(person, apps.list_all, PageQuery)
    return person.page("apps.html", listed=listed, wrong=listed.wrong)


async def get_new(person: Person) -> Response:
    return _new(person)


async def post_new(person: Person) -> Response:
    form = person.form
    try:
        asked = forms.read(NewApp, _metadata(form) | forms.given(form, "name", "owner", "role"))
        made = await person.do(apps.register, asked)
    except REFUSALS as error:
        return _new(person, by_field(error))
    return _shown(person, made) if made.client_secret else see_other(f"{LIST}/{made.name}")


async def get_app(person: Person) -> Response:
    return await _page(person)


async def post_change(person: Person) -> Response:
    await person.see(apps.get)
    try:
        await person.do(apps.update, forms.read(Changes, _metadata(person.form)))
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(ONE.format(**person.parameters))


async def post_secret(person: Person) -> Response:
    await person.see(apps.get)
    try:
        renewed = await person.do(apps.renew_secret)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return _shown(person, renewed)


async def post_delete(person: Person) -> Response:
    app = await person.see(apps.get)
    try:
        forms.require_name_typed(person.form, app.name)
        await person.do(apps.delete)
    except REFUSALS as error:
        return await _page(person, by_field(error))
    return see_other(LIST)


def _metadata(form: Mapping[str, str]) -> dict[str, object]:
    """All that the form shows of it, so that what was emptied there is empty. Raises Denial."""
    jwks = form.get("jwks", "").strip()
    try:
        keys = orjson.loads(jwks) if jwks else None
    except ValueError:
        raise wrong_field("jwks", 'is no JSON: write {"keys": [ … ]}') from None
    texts = {name: form.get(name, "").strip() or None for name in _TEXTS}
    return {
        **texts,
        "description": texts["description"] or "",
        "redirect_uris": form.get("redirect_uris", "").split(),
        "post_logout_redirect_uris": form.get("post_logout_redirect_uris", "").split(),
        "labels": forms.labels(form.get("labels", "")),
        "scope": " ".join(form.get("scope", "").split()),
        "jwks": keys,
    }


def _filled(app: App) -> dict[str, str]:
    """What the form shows of an app."""
    return {name: str(getattr(app, name) or "") for name in _TEXTS} | {
        "redirect_uris": "\n".join(app.redirect_uris),
        "post_logout_redirect_uris": "\n".join(app.post_logout_redirect_uris),
        "labels": forms.written_labels(app.labels),
        "scope": app.scope.replace(" ", "\n"),
        "jwks": "" if app.jwks is None else orjson.dumps(app.jwks, option=orjson.OPT_INDENT_2).decode(),
    }


def _new(person: Person, wrong: Wrong = NOTHING) -> Response:
    return person.page(
        "app_new.html",
        filled=person.form or person.query,
        wrong=wrong,
        authentications=_AUTHENTICATIONS,
    )


async def _page(person: Person, wrong: Wrong = NOTHING) -> Response:
    found, version = await person.see_version(apps.get)
    app: App = found
    editing = forms.editing(person.form, _filled(app), wrong)
    is_own = person.caller.is_oneself(app.owner)
    wanted = map(plain_words.of_permission, Scope.parse(app.scope).permissions)
    return person.page(
        "app.html",
        app=app,
        wanted=list(wanted),
        version=version,
        filled=editing.filled,
        was=editing.was,
        wrong=editing.wrong,
        authentications=_AUTHENTICATIONS,
        may_change=is_own or person.caller.scope.covers("app:update", app.name, app.labels),
        may_delete=is_own or person.caller.scope.covers("app:delete", app.name, app.labels),
    )


def _shown(person: Person, app: RegisteredApp) -> Response:
    return person.page("app_secret.html", app=app)


ROWS = (
    room_row("GET", LIST, get_apps),
    room_row("GET", NEW, get_new, is_proof_needed=True),
    room_row("POST", NEW, post_new, is_proof_needed=True),
    room_row("GET", ONE, get_app),
    room_row("POST", ONE, post_change, is_proof_needed=True),
    room_row("POST", f"{ONE}/secret", post_secret, is_proof_needed=True),
    room_row("POST", f"{ONE}/delete", post_delete),
)
