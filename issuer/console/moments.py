"""Times as pages show them."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from issuer import rfc3339


def moment(seconds: int) -> Markup:
    """In UTC, and readable by machines: pages do not know where their reader is."""
    return _time(seconds, "%-d %b %Y, %H:%M UTC")


def day(seconds: int) -> Markup:
    """For what only its day matters of."""
    return _time(seconds, "%-d %b %Y")


def _time(seconds: int, layout: str) -> Markup:
    text = datetime.fromtimestamp(seconds, UTC).strftime(layout)
    return Markup('<time datetime="{}">{}</time>').format(rfc3339.write(seconds), text)
