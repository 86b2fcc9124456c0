"""What somebody asks about on the command line: a permission, or one request that is to be decided."""

from __future__ import annotations

from holder.errors import UsageError
from verifier import InvalidPermission, Permission
from verifier.decision import is_request


def parse_permission(text: str) -> Permission:
    """Raises UsageError, which shows the form."""
    try:
        return Permission.parse(text)
    except InvalidPermission as error:
        raise UsageError("That is no permission", str(error), "put it between quotes") from None


def parse_request(text: str) -> Permission:
    """What somebody would want to do: one action on one resource. Raises UsageError."""
    request = parse_permission(text)
    if not is_request(request):
        raise UsageError(
            f"{text} is more than one request",
            "a request has no * and no label twice",
            "write action@resource[label=value], for example data:get@my-set[group=A]",
        )
    return request
