"""May one request be made: which permission decides it, or what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from verifier.permission import EVERYTHING, Permission

_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request."""

    request: Permission
    by: Permission | None
    """The permission that allows it; None when none does."""
    missing: tuple[str, ...] = ()
    """Of the permissions that come nearest, what keeps each from allowing it."""


def is_request(permission: Permission) -> bool:
    """Whether it is what somebody would want to do: one action on one resource, no label twice."""
    is_wide = permission.is_prefix or "*" in (permission.noun, permission.verb)
    return not is_wide and not permission.is_contradictory


def decide(request: Permission, permissions: Iterable[Permission]) -> Decision:
    """request: one, as `is_request` says."""
    held = sorted(permissions, key=str)
    by = next((each for each in held if _covers(each, request)), None)
    if by is not None:
        return Decision(request, by)
    if not held:
        return Decision(request, None, ("there is no permission at all",))
    misses = [(_misses(each, request), each) for each in held if _is_about(each, request)]
    if not misses:
        return Decision(request, None, (f"no permission is about {request.noun} or names {request.name}",))
    fewest = min(len(why) for why, _ in misses)
    nearest = [f"{each} {' and '.join(why)}" for why, each in misses if len(why) == fewest]
    more = [f"{len(nearest) - _MAX_SHOWN} more are as near"] if len(nearest) > _MAX_SHOWN else []
    return Decision(request, None, (*nearest[:_MAX_SHOWN], *more))


def _is_about(held: Permission, request: Permission) -> bool:
    """Whether somebody who wonders about the request may have had it in mind: its noun, or its name."""
    return not held.is_contradictory and (
        held.noun in ("*", request.noun) or (held.name != "" and request.is_named_within(held))
    )


def _misses(held: Permission, request: Permission) -> list[str]:
    """In which respects it does not cover the request."""
    misses = []
    if not _covers(replace(EVERYTHING, noun=held.noun, verb=held.verb), request):
        misses.append(f"allows {held.noun}:{held.verb}, not {request.noun}:{request.verb}")
    if not _covers(replace(EVERYTHING, name=held.name, is_prefix=held.is_prefix), request):
        beginning = "names that begin with " if held.is_prefix else ""
        misses.append(f"is for {beginning}{held.name}, not for {request.name}")
    if not _covers(replace(EVERYTHING, labels=held.labels), request):
        lacking = [f"{name}={value}" for name, value in held.labels if (name, value) not in request.labels]
        misses.append(f"asks for the label{'s' * (len(lacking) > 1)} {', '.join(lacking)}")
    return misses


def _covers(held: Permission, request: Permission) -> bool:
    return held.covers(f"{request.noun}:{request.verb}", request.name, dict(request.labels))
