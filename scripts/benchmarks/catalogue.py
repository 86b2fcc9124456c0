"""All benchmarks, in the order of the report."""

from scripts.benchmarks import (
    door,
    exchange,
    first_token,
    garbage,
    informing,
    lists,
    many_keys,
    memory,
    starting,
    verifying,
)
from scripts.benchmarks.measure import Benchmark

BENCHMARKS: tuple[Benchmark, ...] = (
    exchange.BENCHMARK,
    door.BENCHMARK,
    many_keys.BENCHMARK,
    memory.BENCHMARK,
    first_token.BENCHMARK,
    verifying.BENCHMARK,
    garbage.BENCHMARK,
    lists.BENCHMARK,
    informing.BENCHMARK,
    starting.BENCHMARK,
)
