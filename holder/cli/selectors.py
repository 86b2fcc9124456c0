"""Label selectors, as they are typed."""

from __future__ import annotations

from holder.errors import UsageError


def selectors(labels: list[str], alternatives: list[str]) -> list[str]:
    """Each alternative with all of the labels; these alone if there is none. Raises UsageError."""
    for option, given in (("--label-selector", labels), ("--any-of", alternatives)):
        for text in given:
            _check_selector(option, text)
    if len(alternatives) == 1:
        raise UsageError(
            "One --any-of is no choice",
            "it is given once for each of several selectors",
            f"--label-selector {alternatives[0]}, or another --any-of",
        )
    return [",".join([*labels, each]) for each in alternatives] or [",".join(labels)] * bool(labels)


def _check_selector(option: str, text: str) -> None:
    """Raises UsageError."""
    from verifier import InvalidPermission, Permission

    try:
        Permission.parse(f"any:any@*[{text}]")
    except InvalidPermission:
        raise UsageError(
            f"{option} {text[:100]!r} is none" if text else f"{option} is empty",
            "it is name=value, or more of them with commas",
            f"{option} model=base",
        ) from None
