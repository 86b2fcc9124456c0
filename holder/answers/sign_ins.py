"""Where a user is signed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Where a user is signed in."""

    id: int
    user: str
    name: str
    """What people call the client, or the browser."""
    client_id: str
    address: str
    is_here: bool
    """Whether it is what was asked with."""
    created_at: str
    last_used_at: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """A user who is signed out: at one place, which has an id, or everywhere."""

    signed_out: str
    sign_in: int | None = None
