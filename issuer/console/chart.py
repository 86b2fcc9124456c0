"""Numbers as small pictures: what an inline SVG needs to be drawn, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from issuer.api.token_activity import HourOfExchanges

_HEIGHT, _STEP, _BAR = 60, 10, 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour, in the units of the picture."""

    x: int
    y: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The picture, and what it says."""

    width: int
    height: int
    bar_width: int
    bars: list[Bar]
    total: int
    most: int
    most_at: str
    """As RFC 3339 writes it."""
    first: str
    last: str


def of_exchanges(hours: Sequence[HourOfExchanges]) -> Chart:
    """A bar an hour; one that has any is never too small to be seen."""
    busiest = max(hours, key=lambda hour: hour.exchanges)
    bars = []
    for number, hour in enumerate(hours):
        height = round(_HEIGHT * hour.exchanges / (busiest.exchanges or 1))
        height = max(height, 2) if hour.exchanges else 0
        bars.append(Bar(number * _STEP, _HEIGHT - height, height, f"{hour.exchanges}, {hour.began_at}"))
    return Chart(
        width=len(hours) * _STEP,
        height=_HEIGHT,
        bar_width=_BAR,
        bars=bars,
        total=sum(hour.exchanges for hour in hours),
        most=busiest.exchanges,
        most_at=busiest.began_at,
        first=hours[0].began_at,
        last=hours[-1].began_at,
    )
