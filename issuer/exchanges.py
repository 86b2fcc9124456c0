"""Which role keys this process exchanged, and how often each hour, until housekeeping writes it down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

HOUR = 3600
Counts = Mapping[tuple[str, int], int]
"""By access id and the Unix second at which the hour began."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What was known at one moment."""

    last: Mapping[str, int]
    """By access id, Unix seconds."""
    counts: Counts

    def __bool__(self) -> bool:
        return bool(self.last)


class Exchanges:
    """Used from the event loop only."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._counts: Counter[tuple[str, int]] = Counter()

    def note(self, access: str, now: int) -> None:
        """On the path of every exchange: nothing here but memory."""
        self._last[access] = now
        self._counts[access, now - now % HOUR] += 1

    def noted(self) -> Noted:
        return Noted(dict(self._last), dict(self._counts))

    def forget(self, written: Noted) -> None:
        """It is written down. What came meanwhile stays for the next time."""
        for access, at in written.last.items():
            if self._last.get(access) == at:
                del self._last[access]
        self._counts -= Counter(written.counts)
