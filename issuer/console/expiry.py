"""How long a key is good, and how long its old secret is once it is renewed: as forms offer it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from issuer.denials import wrong_field

_DAY = 86400
_DAYS = (7, 30, 90)
_USUAL = "90"
"""What a form begins with."""
NEVER, _UNTIL = "never", "until"
GRACES = {"0": "at once", "3600": "in an hour", "86400": "in a day", "604800": "in a week"}
"""Seconds, and when the old secret ends then."""


def choices(longest: int | None) -> list[tuple[str, str]]:
    """longest: seconds; None where a key may live until it is deleted."""
    offered = [(str(days), f"{days} days") for days in _DAYS if longest is None or days * _DAY <= longest]
    offered.append((_UNTIL, "until the last day below"))
    return offered if longest is not None else [*offered, (NEVER, "until it is deleted")]


FIELDS = {
    "expires": ("Good for", dict(choices(None))),
    "until": ("Its last day", {}),
    "grace": ("The old secret ends", GRACES),
}
"""By name, as people read them: what each is, and what may be chosen."""


def chosen(form: Mapping[str, str]) -> str:
    """What the form is filled in with: a last day counts where nobody chose anything else."""
    asked = form.get("expires") or _USUAL
    return _UNTIL if form.get("until") and asked == _USUAL else asked


def read(form: Mapping[str, str]) -> int | None:
    """Unix seconds; None for never. Raises Denial."""
    end = chosen(form)
    if form.get("until") and end != _UNTIL:
        raise wrong_field(
            "expires",
            "says one end, and its last day below says another: choose that day, or empty its field",
        )
    if end == NEVER:
        return None
    if end in map(str, _DAYS):
        return int(time.time()) + int(end) * _DAY
    if end != _UNTIL:
        raise wrong_field("expires", "choose how long it is good")
    try:
        until = datetime.strptime(form.get("until", ""), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise wrong_field("until", "name its last day, such as 2026-12-31") from None
    return int(until.timestamp()) + _DAY


def tomorrow() -> str:
    return _date(_DAY)


def last_day(longest: int | None) -> str:
    """The last that a form may offer; "" for any."""
    return "" if longest is None else _date(longest - _DAY)


def _date(seconds_ahead: int) -> str:
    return datetime.fromtimestamp(time.time() + seconds_ahead, UTC).strftime("%Y-%m-%d")
