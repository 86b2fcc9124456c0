"""The rooms of the console, and which of them somebody finds a door to."""

from __future__ import annotations

from typing import NamedTuple

from verifier import Scope


class Room(NamedTuple):
    """One of them."""

    name: str
    path: str
    title: str
    action: str | None
    """Who may do this to anything at all has a door; None for everybody."""


_ROOMS = (
    Room("account", "/", "Account", None),
    Room("session", "/session", "My session", None),
    Room("tokens", "/tokens", "API tokens", None),
    Room("authorised-apps", "/authorised-apps", "Authorised apps", None),
    Room("roles", "/roles", "Roles", "role:get"),
    Room("jobs", "/jobs", "Jobs", "job:get"),
    Room("apps", "/apps", "Apps", "app:get"),
    Room("users", "/users", "Users", "user:get"),
    Room("hygiene", "/hygiene", "Hygiene", "role-key:list"),
    Room("audit", "/audit", "Audit", "audit:read"),
    Room("signing-keys", "/signing-keys", "Signing keys", "signing-key:get"),
)


def of(scope: Scope) -> list[Room]:
    """Those that somebody with this scope has something to see in."""
    return [room for room in _ROOMS if room.action is None or reaches(scope, room.action)]


def reaches(scope: Scope, action: str) -> bool:
    """Whether there may be something that somebody with this scope can do it to."""
    noun, _, verb = action.partition(":")
    return any(
        each.noun in ("*", noun) and each.verb in ("*", verb) and not each.is_contradictory
        for each in scope.permissions
    )
