"""Seconds of a process's own, on a machine that others keep busy too."""

from __future__ import annotations

import time
from pathlib import Path

_NANO = 1_000_000_000


def own_seconds(pid: int, *, since: float) -> float:
    """Since that time.monotonic(), without what the process stood in the queue for a processor.

    Linux knows that of a process's first thread; elsewhere nothing is taken off.
    """
    took = time.monotonic() - since
    try:
        queued = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / _NANO
    except FileNotFoundError:
        queued = 0.0
    return took - queued
