"""All benchmarks, in the order of the report."""

from scripts.benchmarks import garbage, lists, starting, verifying
from scripts.benchmarks.measure import Benchmark

BENCHMARKS: tuple[Benchmark, ...] = (
    verifying.BENCHMARK,
    garbage.BENCHMARK,
    lists.BENCHMARK,
    starting.BENCHMARK,
)
