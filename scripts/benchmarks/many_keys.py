"""The same 10^3 role keys exchanged from a database of 10^6 and from one of 10^3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.benchmarks import wrk
from scripts.benchmarks.issuing import initialise, issuing
from scripts.benchmarks.measure import Benchmark, Extent, Measure, Round, at_least
from scripts.benchmarks.stock import stock

_ASKED = 1000
_SECONDS = 4


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    sizes = {"few": _ASKED, "many": 50_000 if extent.quick else 1_000_000}
    with TemporaryDirectory() as temporary, ExitStack() as running:
        sides: dict[str, tuple[str, Path]] = {}
        for name, count in sizes.items():
            folder = Path(temporary) / name
            folder.mkdir()
            initialised = initialise(folder)
            keys = stock(initialised, count, revealed=_ASKED)
            credentials = wrk.write_credentials(folder / "credentials", keys)
            issuer = running.enter_context(issuing(initialised))
            sides[name] = issuer.token_url, credentials
            wrk.load(issuer.token_url, credentials, _SECONDS)  # reads each key once

        def one_round() -> Round:
            return {
                f"{name} keys /s": wrk.load(url, credentials, _SECONDS).per_second
                for name, (url, credentials) in sides.items()
            }

        yield one_round


BENCHMARK = Benchmark(
    name="many-keys",
    measures=(
        Measure(name="10^6 keys ÷ 10^3 keys", of="many keys /s", over="few keys /s", target=at_least(0.95)),
    ),
    prepare=_prepare,
    rounds=5,
    is_slow=True,
)
