"""Times as the management API writes and reads them (RFC 3339, UTC, whole seconds)."""

from datetime import UTC, datetime


def write(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_optional(seconds: float | None) -> str | None:
    return None if seconds is None else write(seconds)
