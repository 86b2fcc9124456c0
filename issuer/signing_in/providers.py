"""Other OpenID providers that users may sign in by, as the settings name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class UpstreamProvider(BaseModel):
    """One provider, and what its word counts for here."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    title: str = ""
    """What its button says; by default its host."""
    scope: str = "openid profile email"
    creates_users: bool = False
    """Whether who is known there and not here becomes a user by signing in."""
    groups_claim: str = "groups"
    roles: Annotated[dict[str, str], Field(default_factory=dict)]
    """Which group there gives which role here: given and taken at every sign-in."""

    @field_validator("issuer")
    @classmethod
    def _check_issuer(cls, value: str) -> str:
        url = urlsplit(value)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise ValueError("a provider's issuer is an https URL")
        return value

    @field_validator("scope")
    @classmethod
    def _check_scope(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("the scope holds openid: without it nobody says who signed in")
        return value

    @model_validator(mode="after")
    def _check_secret(self) -> UpstreamProvider:
        if self.client_secret is not None and self.client_secret_file is not None:
            raise ValueError("give client_secret or client_secret_file, not both")
        return self

    @property
    def label(self) -> str:
        return self.title or urlsplit(self.issuer).hostname or self.issuer

    def roles_of(self, groups: Iterable[str]) -> set[str]:
        """The roles that these groups stand for: exactly those, and none that the settings do not name."""
        return {self.roles[group] for group in groups if group in self.roles}

    def read_secret(self) -> str | None:
        """None for a public client. Raises OSError."""
        if self.client_secret_file is not None:
            return self.client_secret_file.read_text().strip()
        return None if self.client_secret is None else self.client_secret.get_secret_value()


def _check_names(providers: dict[str, UpstreamProvider]) -> dict[str, UpstreamProvider]:
    """Raises ValueError: a name is a part of a path."""
    for name in providers:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"a provider's name is lower-case letters, digits and '-', not {name!r}")
    return providers


UpstreamProviders = Annotated[dict[str, UpstreamProvider], AfterValidator(_check_names)]
"""By the name in their paths."""
