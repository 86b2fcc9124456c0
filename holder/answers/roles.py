"""Roles, their keys, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role."""

    name: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRole:
    """A role that is gone, and the access ids of its keys, which went with it."""

    deleted: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRoleKey:
    """A role key with its secret: the only time that it is shown."""

    access: str
    secret: str = field(repr=False)
    role: str
    name: str | None = None
    scope: str | None = None
    created_at: str
    created_by: str
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRoleKey:
    """A role key as its role's list shows it."""

    access: str
    role: str
    name: str | None = None
    scope: str | None = None
    created_at: str
    created_by: str
    expires_at: str | None = None
    last_exchanged_at: str | None = None
    """Offline use cannot be seen: this is when a token was last got with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRoleKey:
    """A role key that is gone, and the access ids of those that were made with it, which live on."""

    deleted: str
    made: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One permission of a role."""

    id: int
    role: str
    permission: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedPolicy:
    """The id of a policy that is gone."""

    deleted: int
