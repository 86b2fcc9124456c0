"""Times as the management API writes and reads them (RFC 3339, whole seconds; written in UTC)."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def write(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_optional(seconds: float | None) -> str | None:
    return None if seconds is None else write(seconds)


def read(text: object) -> int:
    """Unix seconds. Raises ValueError, which shows the form."""
    try:
        if isinstance(text, str) and _FORM.fullmatch(text):
            return int(datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        pass
    raise ValueError("is no time as RFC 3339 writes it, for example 2026-11-25T08:00:00Z")


_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
Read = Annotated[int, BeforeValidator(read), _SCHEMA]
"""A field of what is sent: Unix seconds here."""
Written = Annotated[str, _SCHEMA]
"""A field of an answer."""
