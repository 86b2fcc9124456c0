"""Which test covers which of the shared request cases, with the status and error that it asserts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

AREAS = frozenset(
    [
        "token",
        "resource",
        "revoke",
        "introspect",
        "jwks",
        "code",
        "authorize",
        "consent",
        "refresh",
        "device",
        "obo",
        "console",
        "docker",
    ]
)
COVERED: dict[str, tuple[str, str]] = {}

Test = TypeVar("Test", bound=Callable[..., None])


def case(name: str, status: str, error: str = "") -> Callable[[Test], Test]:
    """Marks the test of the case `name`."""

    def mark(test: Test) -> Test:
        COVERED[name] = (status, error)
        return test

    return mark
