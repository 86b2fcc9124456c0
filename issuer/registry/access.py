"""What a credential may do at a registry: what is asked for, within the permissions that it holds.

`repository:pull@samples/*`, `repository:push@…` and `repository:delete@…` are about repositories by their
names, `registry:catalog@*` is about the list of them all. Whoever pushes needs pull and push. Repositories
carry no labels, so a permission with a selector never reaches one: where permissions are given it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from issuer.registry.scopes import Asked
from verifier import InvalidPermission, Permission, Scope

_ACTIONS = ("pull", "push", "delete")
_CATALOG = ("registry", "catalog")
_NOUNS = ("repository", "registry")
_OWN_VERBS = ("pull", "push", "catalog")
"""What is done to nothing but them; `delete` is done to much."""
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
"""The distribution specification's <name>. No other can be a repository."""
_MAX_CHARACTERS = 255


class ResourceActions(NamedTuple):
    """One entry of the claim `access`."""

    type: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


class SelectorOnRepositories(InvalidPermission):
    """A permission about repositories has a label selector; the message says what to write instead."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(
            f"{permission} would allow nothing: repositories have no labels. Name them, as in "
            "repository:pull@samples/*, and leave the selector out"
        )


def granted(asked: Asked, rights: Scope) -> tuple[ResourceActions, ...]:
    """Each resource of which anything may be done, with just that; `*` stands for all that is held."""
    found = (
        ResourceActions(kind, name, tuple(_held(kind, name, actions, rights)))
        for (kind, name), actions in asked.items()
    )
    return tuple(each for each in found if each.actions)


def refuse_selectors(permissions: Iterable[Permission]) -> None:
    """Wherever permissions are given: to roles, keys, API tokens and apps, and by consent.

    Raises SelectorOnRepositories.
    """
    for permission in permissions:
        is_theirs = permission.noun in _NOUNS or (permission.noun == "*" and permission.verb in _OWN_VERBS)
        if is_theirs and permission.labels:
            raise SelectorOnRepositories(permission)


def is_repository(name: str) -> bool:
    """Whether a repository can have this name."""
    return len(name) <= _MAX_CHARACTERS and _REPOSITORY.fullmatch(name) is not None


def _held(kind: str, name: str, asked: Collection[str], rights: Scope) -> Iterable[str]:
    if kind == "repository" and is_repository(name):
        wanted = _ACTIONS if "*" in asked else [each for each in _ACTIONS if each in asked]
        return [each for each in wanted if rights.covers(f"repository:{each}", name)]
    if (kind, name) == _CATALOG and "*" in asked and rights.covers("registry:catalog", "*"):
        return ["*"]
    return []
