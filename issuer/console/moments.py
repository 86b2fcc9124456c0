"""Times as pages show them: given in Unix seconds, or as the API writes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from markupsafe import Markup

from issuer import rfc3339

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))
Moment = int | str


def moment(at: Moment) -> Markup:
    """In UTC, and readable by machines: pages do not know where their reader is."""
    return _time(at, _text(at, "%-d %b %Y, %H:%M UTC"))


def day(at: Moment) -> Markup:
    """For what only its day matters of."""
    return _time(at, _text(at, "%-d %b %Y"))


def from_now(at: Moment) -> Markup:
    """Such as "in 6 days" or "2 hours ago", with the time itself for who points at it."""
    return _time(at, distance(_seconds(at) - time.time()), title=_text(at, "%-d %b %Y, %H:%M UTC"))


def distance(seconds: float) -> str:
    """How far ahead or, below zero, how long ago, in the largest whole unit."""
    far = abs(seconds)
    for unit, length in _UNITS:
        if far >= length:
            number = round(far / length)
            text = f"{number} {unit}{'s' if number > 1 else ''}"
            return f"in {text}" if seconds > 0 else f"{text} ago"
    return "in a moment" if seconds > 0 else "a moment ago"


def _seconds(at: Moment) -> int:
    return rfc3339.read(at) if isinstance(at, str) else at


def _text(at: Moment, layout: str) -> str:
    return datetime.fromtimestamp(_seconds(at), UTC).strftime(layout)


def _time(at: Moment, text: str, *, title: str = "") -> Markup:
    written = rfc3339.write(_seconds(at))
    if not title:
        return Markup('<time datetime="{}">{}</time>').format(written, text)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(written, title, text)
