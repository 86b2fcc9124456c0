"""What may be pulled by who proves nothing: the repositories that the settings name, and no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from issuer.registry.access import is_repository
from verifier import InvalidPermission, Permission, Scope


def read_anonymous_pulls(services: Iterable[str], named: Iterable[str]) -> Mapping[str, Scope]:
    """By service the rights, from texts like `registry.example/samples/*`. Raises ValueError."""
    rights = {service: list[Permission]() for service in services}
    for text in named:
        # Of services where one begins as another one does, the longer is meant.
        service = max((each for each in rights if text.startswith(f"{each}/")), key=len, default=None)
        if service is None:
            raise ValueError(
                f"{text} begins with none of HOURMARKD_REGISTRY_SERVICES and a slash: "
                "write SERVICE/REPOSITORY, or SERVICE/BEGINNING* for all that begin so"
            )
        rights[service].append(_pull(text, text.removeprefix(f"{service}/")))
    return {service: Scope.of(permissions) for service, permissions in rights.items()}


def _pull(text: str, repository: str) -> Permission:
    try:
        permission = Permission.parse(f"repository:pull@{repository}")
    except InvalidPermission:
        permission = None
    if permission is None or permission.labels or not is_repository(_whole(repository)):
        raise ValueError(f"{text} names no repository: write SERVICE/REPOSITORY, or SERVICE/BEGINNING*")
    return permission


def _whole(repository: str) -> str:
    """A name that begins so, for one that ends in `*`."""
    return f"{repository[:-1]}a" if repository.endswith("*") else repository
