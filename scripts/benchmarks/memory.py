"""What a worker holds once 10^4 role keys were exchanged, and what each further one adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx

from scripts.benchmarks.issuing import initialise, issuing
from scripts.benchmarks.measure import Benchmark, CannotMeasure, Extent, Measure, Round, at_most
from scripts.benchmarks.stock import stock

_KEYS = 10_000
_BESIDE = 8
"""Exchanges at a time: more would measure the memory of requests."""


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    keys = _KEYS // 10 if extent.quick else _KEYS
    yield lambda: _one_round(keys)


def _one_round(count: int) -> Round:
    """A process of its own each time: what was once taken from the system is seldom given back."""
    with TemporaryDirectory() as folder:
        initialised = initialise(Path(folder))
        keys = stock(initialised, 2 * count, revealed=2 * count)
        with issuing(initialised) as issuer:
            anyio.run(_exchange_all, issuer.token_url, keys[:count])
            first = _resident_bytes(issuer.pid)
            anyio.run(_exchange_all, issuer.token_url, keys[count:])
            further = _resident_bytes(issuer.pid) - first
    return {"resident MiB": first / 2**20, "bytes a further key": further / count}


async def _exchange_all(url: str, keys: list[tuple[str, str]]) -> None:
    waiting = iter(keys)

    async def side(http: httpx.AsyncClient) -> None:
        for key in waiting:
            answer = await http.post(url, data={"grant_type": "client_credentials"}, auth=key)
            if not answer.is_success:
                raise CannotMeasure(f"a stocked role key was answered {answer.status_code}: mend stock.py")

    async with httpx.AsyncClient(timeout=30) as http, anyio.create_task_group() as sides:
        for _ in range(_BESIDE):
            sides.start_soon(side, http)


def _resident_bytes(pid: int) -> int:
    """Of a process; raises CannotMeasure where there is no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError as error:
        raise CannotMeasure("resident memory is read from /proc: run this on Linux") from error
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


BENCHMARK = Benchmark(
    name="memory",
    measures=(
        Measure(name="resident with 10^4 keys", of="resident MiB", unit="MiB", target=at_most(90)),
        Measure(name="resident, a further key", of="bytes a further key", unit="bytes", target=at_most(400)),
    ),
    prepare=_prepare,
    rounds=1,
)
