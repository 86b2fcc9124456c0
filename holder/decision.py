"""May one request be made: which permission decides it, or what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from holder.errors import UsageError
from verifier import InvalidPermission, Permission

_MAX_MISSES = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request."""

    request: Permission
    by: Permission | None
    """The permission that allows it; None when none does."""
    missing: tuple[str, ...] = ()
    """Of each permission that fails in one respect alone, what that is: the fewest words that would help."""


def parse_permission(text: str) -> Permission:
    """Raises UsageError, which shows the form."""
    try:
        return Permission.parse(text)
    except InvalidPermission as error:
        raise UsageError("That is no permission", str(error)) from None


def parse_request(text: str) -> Permission:
    """What somebody would want to do: one action on one resource. Raises UsageError."""
    request = parse_permission(text)
    if request.is_prefix or "*" in (request.noun, request.verb) or request.is_contradictory:
        raise UsageError(
            f"{text} is more than one request",
            "a request has no * and no label twice",
            "write action@resource[label=value], for example data:get@my-set[group=A]",
        )
    return request


def decide(request: Permission, permissions: Iterable[Permission]) -> Decision:
    """request: as `parse_request` gives it."""
    held = sorted(permissions, key=str)
    by = next((each for each in held if _covers(each, request)), None)
    if by is not None:
        return Decision(request, by)
    if not held:
        return Decision(request, None, ("there is no permission at all",))
    misses = [text for _, text in sorted(filter(None, (_miss(each, request) for each in held)))]
    nearest = misses[:_MAX_MISSES]
    if len(misses) > _MAX_MISSES:
        nearest.append(f"{len(misses) - _MAX_MISSES} more fail in one respect")
    if not misses:
        nearest.append("no permission comes near: each fails in two respects or more")
    return Decision(request, None, tuple(nearest))


def _miss(held: Permission, request: Permission) -> tuple[int, str] | None:
    """The one thing that keeps it from covering the request, the easiest to mend first; None for more."""
    if held.is_contradictory:
        return None
    if _covers(replace(held, labels=()), request):
        lacking = [f"{name}={value}" for name, value in held.labels if (name, value) not in request.labels]
        return 1, f"{held} asks for the label {' and '.join(lacking)}"
    if _covers(replace(held, name="", is_prefix=True), request):
        beginning = "names that begin with " if held.is_prefix else ""
        return 2, f"{held} is for {beginning}{held.name}, not for {request.name}"
    if _covers(replace(held, noun="*", verb="*"), request):
        return 3, f"{held} allows {held.noun}:{held.verb} there, not {request.noun}:{request.verb}"
    return None


def _covers(held: Permission, request: Permission) -> bool:
    return held.covers(f"{request.noun}:{request.verb}", request.name, dict(request.labels))
