"""People, and the roles that they hold."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, with the roles that the person holds."""

    name: str
    display_name: str = ""
    email: str | None = None
    state: str
    """`active` or `disabled`."""
    roles: list[str]
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedUser:
    """A user who is gone, and the access ids of the keys that went along."""

    deleted: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link by which a user sets up how to sign in, once."""

    user: str
    url: str = field(repr=False)
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A role that a user holds."""

    user: str
    role: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRole:
    """A role that a user does not hold any more."""

    user: str
    taken: str
