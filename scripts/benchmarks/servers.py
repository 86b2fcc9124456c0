"""Programs that serve on a free loopback port for as long as a benchmark needs them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from scripts.benchmarks.measure import CannotMeasure

_START_SECONDS = 60
_STOP_SECONDS = 10
_BREATH = 0.02


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str | Path], ready: str, log: Path, **given: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` until the end of the block, which begins when the URL `ready` is answered somehow.

    What it writes goes to the file `log`. Raises CannotMeasure, with that, if it does not start.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=os.environ | given, stdout=output, stderr=output)
    try:
        _wait(process, ready, log)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(ready, timeout=1)
            return
        except httpx.TransportError:
            time.sleep(_BREATH)
    raise CannotMeasure(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")
