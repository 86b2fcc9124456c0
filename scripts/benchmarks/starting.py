"""What a process pays before it does anything: imports, and a command that only says how it is used."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmarks.installed import PROJECT
from scripts.benchmarks.measure import Benchmark, Extent, Measure, Round, at_most

_COMMANDS = ("hourmark", "hourmarkd")


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    del extent
    _one_round()  # the first start writes bytecode, which later ones read
    yield _one_round


def _one_round() -> Round:
    seen = {
        "import verifier ms": _import_ms("import verifier"),
        "import jwt, httpx ms": _import_ms("import jwt, httpx"),
    }
    for command in _COMMANDS:
        began = time.perf_counter()
        subprocess.run(
            [Path(sys.executable).with_name(command), "--help"], check=True, stdout=subprocess.DEVNULL
        )
        seen[f"{command} --help ms"] = (time.perf_counter() - began) * 1000
    return seen


def _import_ms(statement: str) -> float:
    """In a fresh process, without the start of the interpreter."""
    program = (
        f"import time; began = time.perf_counter(); {statement}; print((time.perf_counter() - began) * 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


BENCHMARK = Benchmark(
    name="starting",
    measures=(
        Measure(
            name="import verifier ÷ (import jwt, httpx)",
            of="import verifier ms",
            over="import jwt, httpx ms",
            target=at_most(0.5),
        ),
        Measure(name="import verifier", of="import verifier ms", unit="ms"),
        *(
            Measure(name=f"{command} --help", of=f"{command} --help ms", unit="ms", target=at_most(250))
            for command in _COMMANDS
        ),
    ),
    prepare=_prepare,
    rounds=15,
)
