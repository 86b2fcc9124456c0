"""Making an API token: what for, where, and for how long; then it is shown, once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from starlette.responses import Response

from issuer import plain_words, presets, rfc3339
from issuer.api import apps, token_form, tokens
from issuer.api.query import PageQuery
from issuer.api.token_form import NewApiToken
from issuer.console import expiry, forms, reach
from issuer.console.person import Person, room_row
from issuer.console.reach import Reach
from issuer.console.refusals import NOTHING, REFUSALS, Wrong, by_field
from issuer.console.tokens import show
from issuer.denials import Denial, wrong_field
from issuer.store.refusals import Conflict
from verifier import Permission

PATH = "/tokens/new"
_FIELDS = {"never_expires": "expires", "expires_at": "expires", "label_selectors": "labels"}
"""What is one field here, and how it is called by the API."""
_PRESET, _APP = "preset-", "app-"
"""How the fields of the presets and of the apps begin: each is chosen by itself."""
_MOST_APPS = 30
_FILLED_IN = {"name", "description", "labels", "resources", "audiences", "job_roles", "expires", "until"}


async def get_form(person: Person) -> Response:
    """Links may fill it in: its fields by their names, and any number of `preset-NAME`."""
    unknown = [name for name in _chosen(person.query) if name not in person.service.settings.presets]
    wrong = Wrong({"presets": f"the link names {', '.join(unknown)[:200]}, which is no token type here"})
    return await _page(person, person.query, wrong=wrong if unknown else NOTHING)


async def post_form(person: Person) -> Response:
    """Asks once more about one that reaches everything, or makes it. `broad`: what was warned about."""
    form = person.form
    try:
        asked = _read(form)
        broad = presets.broad(token_form.scope_of(person.service.settings, asked))
        if not set(map(str, broad)) <= set(form.get("broad", "").split()):
            return await _page(person, form, broad=broad)
        made = await person.do(tokens.create, asked)
    except Conflict as error:
        return await _page(person, form, wrong=Wrong({"name": str(error)}))
    except REFUSALS as error:
        return await _page(person, form, wrong=by_field(error, _FIELDS))
    return show(person, made)


async def post_reach(person: Person) -> Response:
    """Counts what it would reach."""
    try:
        return await _page(person, person.form, counted=await _reach(person, person.form), is_counted=True)
    except Denial as error:
        return await _page(person, person.form, wrong=by_field(error, _FIELDS))


async def post_link(person: Person) -> Response:
    """Links to the form as it is filled in."""
    link = f"{person.service.settings.issuer_url}{PATH}?{_query(person.form)}"
    return await _page(person, person.form, link=link)


async def _reach(person: Person, form: Mapping[str, str]) -> Reach:
    """Raises Denial."""
    try:
        return await reach.of(person, _chosen(form), _resources(form), form.get("labels", "").split())
    except presets.UnusablePresets as error:
        raise wrong_field(error.field, str(error)) from error


def _read(form: Mapping[str, str]) -> NewApiToken:
    """Raises Denial, which names each field that is wrong."""
    chosen = _chosen(form)
    if not chosen:
        raise wrong_field("presets", "choose at least one")
    return forms.read(
        NewApiToken,
        {
            "name": form.get("name", "").strip(),
            "description": form.get("description", "").strip(),
            "presets": chosen,
            "label_selectors": form.get("labels", "").split(),
            "resources": _resources(form),
            "audiences": form.get("audiences", "").split(),
            "job_roles": form.get("job_roles", "").split(),
            **_end(form),
        },
    )


def _chosen(form: Mapping[str, str]) -> list[str]:
    """The names of presets."""
    return [name.removeprefix(_PRESET) for name in form if name.startswith(_PRESET)]


def _resources(form: Mapping[str, str]) -> list[str]:
    """Those that were chosen, and those that were typed."""
    chosen = (name.removeprefix(_APP) for name in form if name.startswith(_APP))
    return list(dict.fromkeys((*chosen, *form.get("resources", "").split())))


def _typed(form: Mapping[str, str], offered: set[str]) -> list[str]:
    """The resources that no box is there for: also apps that a link chose and the page does not offer."""
    return [name for name in _resources(form) if name not in offered or _APP + name not in form]


def _end(form: Mapping[str, str]) -> dict[str, object]:
    """Raises Denial."""
    end = expiry.read(form)
    return {"never_expires": True} if end is None else {"expires_at": rfc3339.write(end)}


def _query(form: Mapping[str, str]) -> str:
    """By which the form is filled in like that."""
    fields = {name: text for name, text in form.items() if name in _FILLED_IN}
    chosen = {name: text for name, text in form.items() if name.startswith((_PRESET, _APP))}
    return urlencode({name: text for name, text in (fields | chosen).items() if text})


async def _page(
    person: Person,
    form: Mapping[str, str],
    *,
    wrong: Wrong = NOTHING,
    broad: tuple[Permission, ...] = (),
    counted: Reach | None = None,
    is_counted: bool = False,
    link: str = "",
) -> Response:
    settings = person.service.settings
    if counted is None:
        with suppress(Denial):
            counted = await _reach(person, form)
    offered = await person.see_all(apps.list_all, PageQuery(), most=_MOST_APPS)
    longest = None if settings.api_tokens_without_expiry else settings.api_token_max_lifetime
    return person.page(
        "token_new.html",
        is_live=True,
        filled={**form, "resources": " ".join(_typed(form, {app.name for app in offered}))},
        wrong=wrong,
        broad=[plain_words.of_permission(each) for each in broad],
        warned=" ".join(map(str, broad)),
        counted=counted,
        is_counted=is_counted,
        link=link,
        presets=settings.presets,
        services=(*settings.accepted_audiences, *settings.registry_services),
        apps=offered,
        expiries=expiry.choices(longest),
        expires=expiry.chosen(form),
        tomorrow=expiry.tomorrow(),
        last_day=expiry.last_day(longest),
    )


ROWS = (
    room_row("GET", PATH, get_form, is_proof_needed=True),
    room_row("POST", PATH, post_form, is_proof_needed=True),
    room_row("POST", f"{PATH}/reach", post_reach),
    room_row("POST", f"{PATH}/link", post_link),
)
