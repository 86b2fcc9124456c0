"""A thousand verifiers that wait for the next status list, and a role key deleted: when do they know?"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from scripts.benchmarks.issuing import ROLE, initialise, issuing
from scripts.benchmarks.measure import Benchmark, CannotMeasure, Extent, Measure, Round, at_most

_VERIFIERS = 1000
_WAIT = 30
_SETTLE = 1.0
"""Seconds until every question has reached the issuer."""


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    count = _VERIFIERS // 10 if extent.quick else _VERIFIERS
    with TemporaryDirectory() as folder:
        initialised = initialise(Path(folder))
        with issuing(initialised) as issuer:
            admin = {"Authorization": f"Bearer {':'.join(initialised.admin)}"}
            yield lambda: asyncio.run(_one_round(issuer.url, admin, count))


async def _one_round(url: str, admin: dict[str, str], count: int) -> Round:
    async with httpx.AsyncClient(base_url=url, headers=admin, timeout=_WAIT) as http:
        made = (await http.post(f"/v1/roles/{ROLE}/keys", json={})).raise_for_status().json()
        etag = (await http.get("/status/1")).raise_for_status().headers["ETag"]
        waiting = [asyncio.create_task(_informed_at(http.base_url, etag)) for _ in range(count)]
        await asyncio.sleep(_SETTLE)
        began = time.perf_counter()
        (await http.delete(f"/v1/roles/{ROLE}/keys/{made['access']}")).raise_for_status()
        seconds = [at - began for at in await asyncio.gather(*waiting)]
    if min(seconds) < 0:
        raise CannotMeasure("a verifier was answered before anything had changed: the issuer did not wait")
    return {
        "informed p99 s": statistics.quantiles(seconds, n=100)[-1],
        "informed p50 s": statistics.median(seconds),
    }


async def _informed_at(url: httpx.URL, etag: str) -> float:
    """Waits on a connection of its own for a list that is newer than `etag`; when its answer began."""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = [
        "GET /status/1 HTTP/1.1",
        f"Host: {url.netloc.decode()}",
        f"If-None-Match: {etag}",
        f"Prefer: wait={_WAIT}",
        "Connection: close",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode())
    status = await reader.readline()
    at = time.perf_counter()
    await reader.read()
    writer.close()
    if b" 200 " not in status:
        raise CannotMeasure(f"a waiting verifier was answered {status.decode().strip()}")
    return at


BENCHMARK = Benchmark(
    name="informing",
    measures=(
        Measure(
            name="1,000 waiting verifiers informed, p99", of="informed p99 s", unit="s", target=at_most(1)
        ),
        Measure(name="1,000 waiting verifiers informed, p50", of="informed p50 s", unit="s"),
    ),
    prepare=_prepare,
    rounds=5,
)
