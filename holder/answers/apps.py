"""Apps."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What is registered of an app."""

    name: str
    client_id: str
    owner: str
    role: str | None = None
    description: str = ""
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    host: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    audience: str | None = None
    scope: str
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str | None = None
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredApp(App):
    """An app that has just got its secret, if it has one."""

    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedApp:
    """An app that is gone."""

    deleted: str
