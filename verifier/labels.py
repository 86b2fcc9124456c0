"""Labels: what selectors find resources by. Those that begin with `hourmark/` the platform sets, nobody else.

A service that keeps labels for its resources asks here what may be submitted, and then `Token.stamp` what the
resource gets, so that a token reaches what was made with it and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from verifier.permission import is_label

RESERVED = "hourmark/"
ID = f"{RESERVED}id"
"""A selector on it reaches one resource."""
TYPE = f"{RESERVED}type"


class InvalidLabel(ValueError):
    """A label that nobody can submit; the message says why."""


def as_submitted(labels: Mapping[str, str], *, resource_id: str, resource_type: str) -> dict[str, str]:
    """Those of a new resource: id and type are its own, whatever the submitter wrote. Raises InvalidLabel."""
    for name, value in labels.items():
        _check(name, value)
        if name.startswith(RESERVED) and name not in (ID, TYPE):
            raise InvalidLabel(f"{name[:100]!r} is reserved: the platform sets what begins so")
    return {**labels, ID: resource_id, TYPE: resource_type}


def changed(labels: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """All that a resource has from now on, where it had `before`: what the platform set stays.

    Raises InvalidLabel.
    """
    for name, value in labels.items():
        _check(name, value)
        if name.startswith(RESERVED):
            raise InvalidLabel(f"{name[:100]!r} is the platform's: leave it out")
    return {**labels, **{name: value for name, value in before.items() if name.startswith(RESERVED)}}


def _check(name: str, value: object) -> None:
    """value: of JSON, which has others than text too. Raises InvalidLabel."""
    if not (isinstance(value, str) and is_label(name) and is_label(value)):
        raise InvalidLabel(f"{name[:100]!r}: names and values are letters, digits and -._/:")
