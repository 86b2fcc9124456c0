"""Presets: what an API token is for, in a word, and the permissions that it means.

A preset says which actions; labels and resources say on what, and without them it is whatever the owner
reaches. As which roles a token starts jobs is no preset's business: a job may do all that its role may, so
each of these roles is named, and only by who may assume it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from issuer.registry.access import SelectorOnRepositories, refuse_selectors
from issuer.store import names
from verifier import InvalidPermission, Permission, Scope
from verifier.labels import ID, RESERVED, TYPE
from verifier.scope import MAX_PARTS

_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
_ASSUMING = "role", "assume"
_WITHOUT_LABELS = frozenset(
    {"role", "role-policy", "role-key", "role-trust", "user", "signing-key", "audit", "token"}
)
"""What the platform itself keeps and gives no labels: a selector on these matches nothing."""
_STARTING = Permission.parse("job:create@job_*")
"""Ids of jobs are not known before: who starts them may start any."""


class Preset(BaseModel):
    """One of them."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, use_attribute_docstrings=True)

    title: str
    description: str
    permissions: Annotated[tuple[str, ...], Field(min_length=1)]
    """On any resource; a token's resources and labels narrow each of them."""

    @field_validator("permissions")
    @classmethod
    def _check(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for permission in map(Permission.parse, value):
            if permission.name or not permission.is_prefix or permission.labels:
                raise ValueError(
                    f"{str(permission)!r} is for some resources: a preset's permissions are for any, "
                    "write noun:verb@*"
                )
        return value


Presets = dict[Annotated[str, Field(pattern=_NAME)], Preset]


def defaults() -> dict[str, Preset]:
    """Those of an issuer whose settings name none."""
    return {
        "read": Preset(
            title="Read",
            description="query what jobs and apps serve",
            permissions=("app:query@*", "job:query@*"),
        ),
        "operator": Preset(
            title="Operator",
            description="everything about jobs and apps, to query them too; "
            "it starts jobs as the roles that are named with it",
            permissions=("app:*@*", "job:*@*"),
        ),
        "developer-operations": Preset(
            title="Developer operations",
            description="manage the resources of the platform: jobs, apps, data and repositories; "
            "it starts jobs as the roles that are named with it",
            permissions=("app:*@*", "data:*@*", "job:*@*", "repository:*@*"),
        ),
        "protected-endpoint": Preset(
            title="Protected endpoint",
            description="query protected deployments: those that are named, or all",
            permissions=("app:query@*",),
        ),
    }


class UnusablePresets(ValueError):
    """What was chosen gives no token; the message says why, and `field` what it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def scope_of(
    presets: Mapping[str, Preset],
    chosen: Iterable[str],
    resources: Iterable[str],
    selectors: Iterable[str],
    job_roles: Iterable[str] = (),
) -> Scope:
    """Each permission of the chosen presets, on each resource, by each selector; and the roles of its jobs.

    Raises UnusablePresets.
    """
    wide: set[Permission] = set()
    for name in chosen:
        if name not in presets:
            raise UnusablePresets("presets", f"{name!r} is no preset; there are: {', '.join(presets)}")
        wide |= set(map(Permission.parse, presets[name].permissions))
    narrow, assumed = targets(resources, selectors), [_assumed(role) for role in job_roles]
    if len(wide) * len(narrow) + len(assumed) > MAX_PARTS:
        raise UnusablePresets("presets", f"this makes more than {MAX_PARTS} permissions: choose fewer")
    meant = [
        replace(permission, name=target.name, is_prefix=target.is_prefix, labels=target.labels)
        for permission in wide
        for target in narrow
    ]
    try:
        refuse_selectors(meant)
    except SelectorOnRepositories as error:
        said = f"{error}, or choose presets that are about what has labels"
        raise UnusablePresets("label_selectors", said) from None
    void = next((each for each in meant if each.labels and each.noun in _WITHOUT_LABELS), None)
    if void is not None:
        raise UnusablePresets(
            "label_selectors",
            f"{void} would allow nothing: no {void.noun} has labels. Choose presets that are about what has, "
            "or leave the selector out",
        )
    if assumed and not any(_STARTING & permission for permission in meant):
        raise UnusablePresets(
            "job_roles",
            "it would start no jobs: choose a preset that does, and no resources that leave jobs out",
        )
    return Scope.of([*meant, *assumed])


def job_roles_of(scope: Scope) -> list[str]:
    """As which roles jobs are started by whoever has this: what `scope_of` was given."""
    return [
        f"{each.name}*" if each.is_prefix else each.name
        for each in scope.permissions
        if (each.noun, each.verb) == _ASSUMING
    ]


def nouns(presets: Mapping[str, Preset], chosen: Iterable[str]) -> set[str]:
    """What the chosen presets are about: "*" is anything, as it is while none is chosen."""
    permissions = [each for name in chosen if name in presets for each in presets[name].permissions]
    return {Permission.parse(each).noun for each in permissions} or {"*"}


def targets(resources: Iterable[str], selectors: Iterable[str]) -> list[Permission]:
    """Each resource by each selector, for an action that does not matter. Raises UnusablePresets."""
    places: list[str] = list(resources) or ["*"]
    labels: list[str | None] = [*selectors] or [None]
    if len(places) * len(labels) > MAX_PARTS:
        raise UnusablePresets("resources", f"with the labels these are more than {MAX_PARTS}: choose fewer")
    return [_target(resource, selector) for resource in places for selector in labels]


def broad(scope: Scope) -> tuple[Permission, ...]:
    """Those that let whoever has them do anything with everything of a kind: worth a second look."""
    return tuple(
        each
        for each in scope.permissions
        if "*" in (each.noun, each.verb) and each.is_prefix and not each.name and not each.labels
    )


def _target(resource: str, selector: str | None) -> Permission:
    """A resource and a selector, as the grammar of permissions has them."""
    named = _parse("resources", resource, f"any:any@{resource}", "write a name, or NAME*")
    if named.labels:
        raise UnusablePresets("resources", f"{resource!r} has labels: say them in label_selectors")
    if selector is None:
        return named
    if not selector:
        raise UnusablePresets("label_selectors", "one is empty: write name=value, or leave it out")
    target = _parse("label_selectors", selector, f"any:any@{resource}[{selector}]", "write name=value")
    if target.is_contradictory:
        raise UnusablePresets("label_selectors", _contradiction(target))
    for name, _ in target.labels:
        if name.startswith(RESERVED) and name not in (ID, TYPE):
            raise UnusablePresets(
                "label_selectors",
                f"{name} is reserved: of the platform's labels there are {ID} and {TYPE} alone",
            )
    return target


def _contradiction(target: Permission) -> str:
    """Which label, and what would be meant instead."""
    values: dict[str, list[str]] = {}
    for name, value in target.labels:
        values.setdefault(name, []).append(value)
    name = next(name for name, several in values.items() if len(several) > 1)
    alternatives = " and ".join(f"{name}={value}" for value in values[name])
    return (
        f"the label {name} is to have two values, so nothing would match: "
        f"give it one, or make {alternatives} two selectors"
    )


def _assumed(role: str) -> Permission:
    """Raises UnusablePresets."""
    found = _parse("job_roles", role, f"{':'.join(_ASSUMING)}@{role}", "write ORG.ACCOUNT.NAME, or ORG.*")
    if found.labels:
        raise UnusablePresets("job_roles", f"{role!r} has labels: roles have none")
    try:
        if not found.is_prefix:
            names.check_role_name(found.name)
    except names.InvalidName as error:
        raise UnusablePresets("job_roles", f"{error}, or ORG.* for all that begin so") from None
    return found


def _parse(field: str, said: str, text: str, form: str) -> Permission:
    try:
        return Permission.parse(text)
    except InvalidPermission:
        raise UnusablePresets(field, f"{said[:100]!r} is none: {form}") from None
