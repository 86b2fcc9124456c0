"""What a measurement is: data. A round sees quantities; a measure is one of them, or two of them divided.

Machines differ and drift, so a figure of one run says nothing about a figure of another. What can be
compared is what was measured in turns within one run: both quantities of a ratio are of the same round.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal


class CannotMeasure(Exception):
    """What is measured, or measured with, is missing or does not work; the message says what to do."""


Round = dict[str, float]
"""What one round saw, by name: microseconds, requests per second, bytes, as the name says."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a measure is to stay below or above."""

    bound: Literal["≤", "≥"]
    value: float

    def is_met(self, value: float) -> bool:
        return value <= self.value if self.bound == "≤" else value >= self.value

    def margin(self, value: float) -> float:
        """How many times better than asked: 1 is just met, less is missed."""
        return self.value / value if self.bound == "≤" else value / self.value


def at_most(value: float) -> Target:
    return Target("≤", value)


def at_least(value: float) -> Target:
    return Target("≥", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the report."""

    name: str
    of: str
    """The quantity, by its name in the round."""
    over: str | None = None
    """The quantity of the same round that it is divided by, if any."""
    unit: str = ""
    """Empty for a ratio."""
    target: Target | None = None
    is_peers: bool = False
    """Whether it needs programs of others, which --no-peers leaves out."""

    def value(self, seen: Round) -> float:
        return seen[self.of] if self.over is None else seen[self.of] / seen[self.over]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    quick: bool
    peers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Measures that share rounds. `prepare` makes what a round needs, gives the round, and clears up."""

    name: str
    measures: tuple[Measure, ...]
    prepare: Callable[[Extent], AbstractContextManager[Callable[[], Round]]]
    rounds: int = 7
    is_slow: bool = False
    """Takes many minutes; runs only when it is asked for."""

    def promised(self, extent: Extent) -> tuple[Measure, ...]:
        """The measures that a run of this extent has."""
        return tuple(measure for measure in self.measures if extent.peers or not measure.is_peers)
