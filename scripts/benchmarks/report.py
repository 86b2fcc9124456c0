"""Rounds -> rows -> a table for people and a document for programs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.benchmarks.measure import Benchmark, Extent, Measure, Round

_NO_TARGET = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """A measure over all rounds: the median, and how far it swung."""

    benchmark: str
    measure: Measure
    median: float
    least: float
    greatest: float

    @property
    def is_met(self) -> bool | None:
        """None without a target."""
        target = self.measure.target
        return None if target is None else target.is_met(self.median)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All rounds of a benchmark."""

    benchmark: Benchmark
    extent: Extent
    rounds: list[Round]

    def rows(self) -> Iterator[Row]:
        for measure in self.benchmark.promised(self.extent):
            values = [measure.value(seen) for seen in self.rounds]
            yield Row(self.benchmark.name, measure, statistics.median(values), min(values), max(values))


def table(rows: Sequence[Row]) -> str:
    """One line a row, under the name of its benchmark."""
    lines = [("", "median", "min … max", "target", "met")]
    for number, row in enumerate(rows):
        if number == 0 or rows[number - 1].benchmark != row.benchmark:
            lines += [("", "", "", "", ""), (row.benchmark, "", "", "", "")]
        lines.append(_cells(row))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "".join(_aligned(line, widths) for line in lines)


def value_text(value: float, unit: str) -> str:
    """Three figures, as many as a measurement has to say, and the unit."""
    digits = max(0, 3 - len(str(int(value)).lstrip("0")))
    return f"{value:,.{digits}f} {unit}".rstrip()


def target_text(measure: Measure) -> str:
    if measure.target is None:
        return _NO_TARGET
    return f"{measure.target.bound} {measure.target.value:,g} {measure.unit}".rstrip()


def document(outcomes: Sequence[Outcome], facts: dict[str, object], extent: Extent) -> dict[str, object]:
    """Everything that was seen, so that a figure can be looked into later."""
    return {
        "machine": facts,
        "quick": extent.quick,
        "peers": extent.peers,
        "rows": [_entry(row) for outcome in outcomes for row in outcome.rows()],
        "rounds": {outcome.benchmark.name: outcome.rounds for outcome in outcomes},
    }


def _entry(row: Row) -> dict[str, object]:
    target = row.measure.target
    return {
        "benchmark": row.benchmark,
        "name": row.measure.name,
        "of": row.measure.of,
        "over": row.measure.over,
        "unit": row.measure.unit,
        "median": row.median,
        "min": row.least,
        "max": row.greatest,
        "target": None if target is None else {"bound": target.bound, "value": target.value},
        "met": row.is_met,
    }


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    unit = row.measure.unit
    met = {None: "", True: "yes", False: "NO"}[row.is_met]
    swing = f"{value_text(row.least, '')} … {value_text(row.greatest, '')}"
    return f"  {row.measure.name}", value_text(row.median, unit), swing, target_text(row.measure), met


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = line
    cells = [name.ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True)]
    return "  ".join(cells).rstrip() + "\n"
