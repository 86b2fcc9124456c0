"""Times as people write them: 90d, 24h, 2027-01-01."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from holder.errors import UsageError

_DURATION = re.compile(r"(\d{1,7})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str, option: str) -> timedelta:
    """90d, 24h, 30m, 45s, 2w. Raises UsageError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{option} {text[:40]!r} is no duration",
            "it is a number with s, m, h, d or w",
            f"{option} 24h",
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_moment(text: str, option: str, now: datetime) -> str:
    """A duration from `now`, a day or a time (UTC unless it says another zone), as RFC 3339.

    Raises UsageError, also for what has passed.
    """
    try:
        moment = (
            now + parse_duration(text, option) if _DURATION.fullmatch(text) else datetime.fromisoformat(text)
        )
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text[:40]!r} is no time",
            "it is 90d, 2027-01-01 or 2027-01-01T12:00:00Z",
            f"{option} 90d",
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment <= now:
        raise UsageError(f"{option} {text[:40]!r} has passed", "it must be in the future", f"{option} 90d")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def rfc3339(seconds: float) -> str:
    """Unix seconds as RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def roughly(seconds: float) -> str:
    """A span in one unit, for people."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}s"
    return f"{seconds:.0f} seconds"


def beside_issuers(ahead: float) -> str:
    """How a clock that is `ahead` seconds ahead stands to the issuer's."""
    return f"{roughly(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the issuer's"
