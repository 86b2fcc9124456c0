"""Tokens as they are issued, what leads to one, and who a credential is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token just issued (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted(IssuedToken):
    """A token of a user's sign-in, and what gives the next one."""

    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """What a device shows and asks with (RFC 8628 section 3.2)."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: int
    interval: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who a credential is."""

    principal: str
    roles: list[str]
    scope: str
    client_id: str
    audience: list[str] | None = None
    expires_at: str | None = None
