"""API tokens, and what they can be made for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What an API token can be made for."""

    name: str
    title: str
    description: str
    permissions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A role key made for a purpose."""

    id: str
    name: str
    presets: list[str]
    label_selectors: list[str]
    prefix: str
    created_by: str
    last_exchanged_at: str | None = None
    expires_at: str | None = None
    state: str
    """`active` or `expired`."""
    owner: str
    description: str = ""
    resources: list[str]
    job_roles: list[str] = field(default_factory=list)
    audiences: list[str]
    scope: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenWithSecret(ApiToken):
    """An API token whose secret is new: the only time that it is shown."""

    token: str = field(repr=False)
