"""The figures that have a target, as one picture: how many times better, or worse, than was asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from scripts.benchmarks.report import Row, target_text, value_text

_WIDTH, _LINE, _BAR = 960, 24, 14
_NAMES, _ZERO, _OCTAVE = 290, 465, 85
"""Where names end, where the line of the targets is, and how far from it twice as good is. Pixels."""
_FURTHEST = 2
"""Powers of two that fit; a longer bar ends in an arrow."""
_TOP, _BOTTOM = 76, 16
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.small{font-size:11px;fill:#666}.title{font-size:16px}"
    ".right{text-anchor:end}.middle{text-anchor:middle}.met{fill:#2b7a78}.missed{fill:#c8553d}"
    ".grid{stroke:#ddd}.target{stroke:#222;stroke-width:1.5}"
)


def svg(rows: Sequence[Row]) -> str:
    shown = [row for row in rows if row.measure.target is not None]
    height = _TOP + _LINE * len(shown) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" height="{height}">',
        "<title>Hourmark: figures beside their targets</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        '<text class="title" x="16" y="26">Hourmark: figures beside their targets</text>',
        '<text class="small" x="16" y="44">Right of the line: better than asked; left of it: worse.</text>',
        *_scale(height - _BOTTOM),
    ]
    for number, row in enumerate(shown):
        parts += _bar(row, _TOP + _LINE * number)
    return "\n".join([*parts, "</svg>", ""])


def _scale(bottom: int) -> Iterator[str]:
    for power, label in ((-2, "a quarter"), (-1, "half"), (0, "target"), (1, "twice"), (2, "four times")):
        x = _ZERO + power * _OCTAVE
        kind = "grid" if power else "target"
        yield f'<text class="small middle" x="{x}" y="{_TOP - 8}">{label}</text>'
        yield f'<line class="{kind}" x1="{x}" y1="{_TOP - 4}" x2="{x}" y2="{bottom}"/>'


def _bar(row: Row, top: int) -> Iterator[str]:
    target = row.measure.target
    if target is None:
        return
    power = math.log2(target.margin(row.median))
    length = max(-_FURTHEST, min(_FURTHEST, power)) * _OCTAVE
    kind, mark = ("met", "✓") if row.is_met else ("missed", "✗")
    left, baseline = min(_ZERO, _ZERO + length), top + 16
    yield f'<text class="right" x="{_NAMES - 6}" y="{baseline}">{escape(row.measure.name)}</text>'
    yield f'<rect class="{kind}" x="{left:.1f}" y="{top + 5}" width="{abs(length):.1f}" height="{_BAR}"/>'
    if abs(power) > _FURTHEST:
        yield _arrow(_ZERO + length, top + 5, kind, math.copysign(8, power))
    figure = f"{value_text(row.median, row.measure.unit)}   ({target_text(row.measure)}) {mark}"
    yield f'<text x="{_ZERO + (_FURTHEST + 0.3) * _OCTAVE:.0f}" y="{baseline}">{escape(figure)}</text>'


def _arrow(x: float, top: float, kind: str, reach: float) -> str:
    points = f"{x:.1f},{top} {x + reach:.1f},{top + _BAR / 2} {x:.1f},{top + _BAR}"
    return f'<polygon class="{kind}" points="{points}"/>'
