"""What an API token is made from, as it is sent and checked, and how it is shown."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field

from issuer import presets, rfc3339
from issuer.api.display_names import NeededName
from issuer.api.operation import Answer, Body
from issuer.api.worded import ONE_LINE
from issuer.denials import wrong_field
from issuer.settings import Settings
from issuer.store.api_tokens import ApiToken, Purpose
from keys import RoleKey as PresentedKey
from keys.secret import ROLE_KEY_PREFIX
from verifier import Scope

_TEXT = r"^[^\x00-\x1f\x7f]*$"
_SHOWN_CHARACTERS = len(ROLE_KEY_PREFIX) + 4
_Texts = Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=50)]


class NewApiToken(Body):
    name: NeededName
    presets: Annotated[list[str], Field(min_length=1, max_length=20)]
    """What it is for: names of presets."""
    description: Annotated[str, Field(max_length=500, pattern=_TEXT), ONE_LINE] = ""
    label_selectors: _Texts = Field(default_factory=list)
    """`name=value,name=value`: it reaches what has all labels of one of them, also what comes later.

    Without, labels do not count. What is made with it gets the labels of its selector."""
    resources: _Texts = Field(default_factory=list)
    """Names of resources; with `*` at its end, all that begin so. All that its owner reaches without."""
    job_roles: _Texts = Field(default_factory=list)
    """Roles that it starts jobs as, if its maker may assume them; with `*` at its end, all that begin so."""
    audiences: _Texts = Field(default_factory=list)
    """The services that it is for; every service without."""
    expires_at: rfc3339.Read | None = None
    """By default after the issuer's `api_token_lifetime`."""
    never_expires: bool = False
    """Only where the issuer's settings allow it."""
    owner: str | None = None
    """A principal, `user:NAME` or `role:NAME`; by default whoever asks."""

    def purpose(self) -> Purpose:
        return Purpose(
            description=self.description,
            presets=tuple(dict.fromkeys(self.presets)),
            label_selectors=tuple(dict.fromkeys(self.label_selectors)),
            resources=tuple(dict.fromkeys(self.resources)),
            audiences=tuple(dict.fromkeys(self.audiences)),
        )


class ApiTokenAnswer(Answer):
    id: str
    """Its access id: it stays when the token is renewed."""
    name: str
    owner: str
    description: str
    presets: list[str]
    label_selectors: list[str]
    resources: list[str]
    job_roles: list[str]
    audiences: list[str]
    scope: str
    """The permissions that this means. What it has of them follows what its owner may do."""
    prefix: str
    """How it begins."""
    state: Literal["active", "expired"]
    created_at: rfc3339.Written
    created_by: str
    expires_at: rfc3339.Written | None
    last_exchanged_at: rfc3339.Written | None


class ApiTokenWithSecret(ApiTokenAnswer):
    token: str = Field(repr=False)


class DeletedApiToken(Answer):
    deleted: str
    made: list[str]
    """The ids of the role keys, apps and jobs that were made with it; they live on."""


def scope_of(settings: Settings, body: NewApiToken) -> Scope:
    """The permissions that it means. Raises Denial."""
    try:
        return presets.scope_of(
            settings.presets, body.presets, body.resources, body.label_selectors, body.job_roles
        )
    except presets.UnusablePresets as error:
        raise wrong_field(error.field, str(error)) from error


def expires_at(settings: Settings, body: NewApiToken) -> int | None:
    """Unix seconds. Raises Denial."""
    now = time.time()
    if body.never_expires:
        if body.expires_at is not None:
            raise wrong_field("never_expires", "is said beside expires_at: say one of them")
        if not settings.api_tokens_without_expiry:
            raise wrong_field("never_expires", "is not allowed here: name a time in expires_at")
        return None
    if body.expires_at is None:
        return int(now) + settings.api_token_lifetime
    if body.expires_at <= now:
        raise wrong_field("expires_at", "is in the past")
    latest = now + settings.api_token_max_lifetime
    if body.expires_at > latest and not settings.api_tokens_without_expiry:
        raise wrong_field("expires_at", f"is too late here: {rfc3339.write(latest)} at most")
    return body.expires_at


def check_audiences(settings: Settings, body: NewApiToken) -> None:
    """Raises Denial for a service that no token can be for, be it a registry."""
    for audience in body.audiences:
        if audience not in (*settings.accepted_audiences, *settings.registry_services):
            known = ", ".join((*settings.accepted_audiences, *settings.registry_services))
            raise wrong_field("audiences", f"{audience!r} is no service known here; known: {known}")


def answer(known: ApiToken, now: int) -> ApiTokenAnswer:
    key, row = known.key, known.row
    is_expired = key.expires_at is not None and key.expires_at <= now
    return ApiTokenAnswer(
        id=key.access,
        name=key.name,
        owner=known.owner.name,
        description=row.description,
        presets=row.presets.split(),
        label_selectors=row.label_selectors.split(),
        resources=row.resources.split(),
        job_roles=presets.job_roles_of(Scope.parse(key.scope or "")),
        audiences=row.audiences.split(),
        scope=key.scope or "",
        prefix=key.access[:_SHOWN_CHARACTERS],
        state="expired" if is_expired else "active",
        created_at=rfc3339.write(key.created_at),
        created_by=key.created_by,
        expires_at=rfc3339.write_optional(key.expires_at),
        last_exchanged_at=rfc3339.write_optional(key.last_exchanged_at),
    )


def with_secret(known: ApiToken, presented: PresentedKey, now: int) -> ApiTokenWithSecret:
    return ApiTokenWithSecret(**answer(known, now).model_dump(), token=presented.reveal())
