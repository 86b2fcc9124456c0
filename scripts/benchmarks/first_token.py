"""From the start of `hourmarkd serve` on an initialised database to the first token."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from scripts.benchmarks import servers
from scripts.benchmarks.issuing import Initialised, initialise, serve_command
from scripts.benchmarks.measure import Benchmark, CannotMeasure, Extent, Measure, Round, at_most

_PATIENCE = 60.0
_BREATH = 0.005


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    del extent
    with TemporaryDirectory() as folder:
        initialised = initialise(Path(folder))
        yield lambda: {"first token s": _seconds(initialised)}


def _seconds(initialised: Initialised) -> float:
    log = initialised.folder / "serve.log"
    with log.open("ab") as output, httpx.Client(timeout=10) as http:
        began = time.perf_counter()
        process = subprocess.Popen(
            serve_command(),
            env=os.environ | initialised.settings,
            stdout=output,
            stderr=output,
        )
        try:
            while not _has_token(http, initialised):
                if process.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    raise CannotMeasure(f"hourmarkd serve gave no token:\n{log.read_text()[-2000:]}")
                time.sleep(_BREATH)
            return time.perf_counter() - began
        finally:
            servers.stop(process)


def _has_token(http: httpx.Client, initialised: Initialised) -> bool:
    try:
        answer = http.post(
            f"{initialised.url}/v1/token",
            data={"grant_type": "client_credentials"},
            auth=initialised.admin,
        )
    except httpx.TransportError:
        return False
    return answer.is_success


BENCHMARK = Benchmark(
    name="first-token",
    measures=(Measure(name="start to first token", of="first token s", unit="s", target=at_most(1.5)),),
    prepare=_prepare,
)
