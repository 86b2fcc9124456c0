"""How a path that a specification defines is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from issuer.api.openapi.responses import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path."""

    method: str = "GET"
    path: str
    summary: str
    answer: type[BaseModel] | None
    status: int = 200
    media_type: str = JSON
    unavailable: type[BaseModel] | None = None
    """The answer of status 503, where that is no refusal."""
    security: tuple[dict[str, Any], ...] = ()
    permission: str | None = None
    """What the caller needs, where that is more than a credential."""
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    """Those fields of the form without which nothing can be done."""
    request_headers: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()
    """Headers that come with what was asked for."""
    refusals: tuple[str, ...] = ()
    """Codes of denials."""
    responses: Mapping[str, dict[str, Any]] | None = None
    """By status, where they are described by themselves."""
