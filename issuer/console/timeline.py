"""A ring of signing keys as a picture: a line a key, from when it is public to when another one signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from issuer import rfc3339
from issuer.api.signing_keys import SigningKey

_WIDTH, _ROW, _BAR = 600, 28, 12
_GONE = "gone"


@dataclass(frozen=True, slots=True)
class Span:
    """One key, in the units of the picture."""

    y: int
    public_x: int
    signs_x: int
    until_x: int
    key: SigningKey

    @property
    def waits(self) -> int:
        return self.signs_x - self.public_x

    @property
    def signs(self) -> int:
        return self.until_x - self.signs_x


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture: its keys, and where now is."""

    width: int
    height: int
    bar: int
    now_x: int
    spans: list[Span]
    first: str
    last: str
    """As RFC 3339 writes times."""


def of(ring: Sequence[SigningKey], now: int) -> Timeline:
    """Those that are public; a day of margin on both sides."""
    keys = [key for key in ring if key.phase != _GONE]
    public = [rfc3339.read(key.published_at) for key in keys]
    signs = [rfc3339.read(key.signs_from) for key in keys]
    # A key signs until the next one does; the last of them for as long as the picture goes.
    first, last = min([now, *public]), max([now, *signs])
    margin = max((last - first) // 8, 3600)
    first, last = first - margin // 4, last + margin
    scale = _WIDTH / (last - first)
    ends = [*signs[1:], last]

    def x(at: int) -> int:
        return round((at - first) * scale)

    spans = [
        Span(number * _ROW, x(public[number]), x(signs[number]), x(max(ends[number], signs[number])), key)
        for number, key in enumerate(keys)
    ]
    return Timeline(
        width=_WIDTH,
        height=len(keys) * _ROW,
        bar=_BAR,
        now_x=x(now),
        spans=spans,
        first=rfc3339.write(first),
        last=rfc3339.write(last),
    )
