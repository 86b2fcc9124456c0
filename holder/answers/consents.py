"""What users let apps have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a user lets an app have."""

    id: int
    user: str
    app: str
    client_id: str
    owner: str
    scope: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnConsent:
    """The id of a consent that is gone."""

    withdrawn: int
