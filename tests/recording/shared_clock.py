"""One clock for several processes, which a test moves forward: days pass in seconds.

What it shows is in a file. Whoever waits in real time wakes up often, to look at it: nobody would wait for
hours that are over in a moment.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

_AHEAD = struct.Struct("d")
LOOK_SECONDS = 0.02
"""Real ones, between two looks of who waits."""
_real_time = time.time


class SharedClock:
    """Unix seconds, ahead of the real ones."""

    def __init__(self, path: Path) -> None:
        """Begins with the real ones if there is no such file yet."""
        if not path.exists():
            path.write_bytes(_AHEAD.pack(0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _AHEAD.size)

    def time(self) -> float:
        """As `time.time`."""
        return _real_time() + self._ahead

    def forward(self, seconds: float) -> float:
        """Moves it for all who have it; says what it shows then."""
        self._shared[:] = _AHEAD.pack(self._ahead + seconds)
        return self.time()

    @property
    def _ahead(self) -> float:
        ahead: float
        (ahead,) = _AHEAD.unpack(self._shared)
        return ahead


def install(path: Path) -> None:
    """This process has no other clock from now on."""
    wait, sleep = threading.Event.wait, asyncio.sleep

    def wait_a_little(event: threading.Event, timeout: float | None = None) -> bool:
        return wait(event, None if timeout is None else min(timeout, LOOK_SECONDS))

    def sleep_a_little(delay: float, *result: object) -> Awaitable[object]:
        return sleep(min(delay, LOOK_SECONDS), *result)

    _replace(time, "time", SharedClock(path).time)
    _replace(threading.Event, "wait", wait_a_little)
    _replace(asyncio, "sleep", sleep_a_little)


def _replace(owner: object, name: str, by: Callable[..., object]) -> None:
    setattr(owner, name, by)
