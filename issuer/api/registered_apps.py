"""What is registered of an app, as it is told."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from issuer import rfc3339
from issuer.api.operation import Answer, Versioned
from issuer.api.registration import Authentication, Changes, ClientMetadata
from issuer.denials import wrong_fields
from issuer.store import apps
from issuer.store.principals import ROLE_PREFIX
from issuer.store.tables import AppRow, Principal


class App(Answer):
    name: str
    client_id: str
    owner: str
    role: str | None
    description: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    host: str | None
    labels: dict[str, str]
    audience: str | None
    scope: str
    token_endpoint_auth_method: Authentication
    jwks: dict[str, Any] | None
    id_token_signed_response_alg: str | None
    created_at: rfc3339.Written
    created_by: str


class RegisteredApp(App):
    client_secret: str | None
    """Shown once; None for an app that has none."""


class DeletedApp(Answer):
    deleted: str


def together(app: App, changes: Changes) -> ClientMetadata:
    """What is registered, with the changes. Raises Denial if they do not go together."""
    known = Changes.model_fields.keys() - {"labels"}  # they are looked at by themselves
    now = {name: value for name, value in app.model_dump().items() if name in known}
    try:
        return ClientMetadata.model_validate(now | changes.model_dump(exclude_unset=True))
    except ValidationError as error:
        raise wrong_fields(error) from None


def is_elsewhere(row: AppRow, changed: ClientMetadata) -> bool:
    """Whether somebody else could be the app, or be sent its users, by what changes."""
    known = row.authentication, row.jwks, json.loads(row.redirect_uris), row.host
    wanted = changed.registration(None, {})
    return known != (wanted.authentication, wanted.jwks, list(wanted.redirect_uris), wanted.host)


def of(session: Session, row: AppRow) -> App:
    return App(**_members(session, row))


def versioned(session: Session, row: AppRow) -> Versioned:
    return Versioned(of(session, row), row.version)


def registered(session: Session, row: AppRow, secret: str | None) -> Versioned:
    return Versioned(RegisteredApp(**_members(session, row), client_secret=secret), row.version)


def _members(session: Session, row: AppRow) -> dict[str, Any]:
    role = None if row.role_id is None else session.get_one(Principal, row.role_id)
    return {
        "name": row.name,
        "client_id": row.client_id,
        "owner": session.get_one(Principal, row.owner_id).name,
        "role": None if role is None else role.name.removeprefix(ROLE_PREFIX),
        "description": row.description,
        "redirect_uris": json.loads(row.redirect_uris),
        "post_logout_redirect_uris": json.loads(row.post_logout_redirect_uris),
        "host": row.host,
        "labels": apps.labels_of(row),
        "audience": row.audience,
        "scope": row.scope,
        "token_endpoint_auth_method": row.authentication,
        "jwks": None if row.jwks is None else json.loads(row.jwks),
        "id_token_signed_response_alg": row.id_token_algorithm,
        "created_at": rfc3339.write(row.created_at),
        "created_by": row.created_by,
    }
