"""scripts/bench: runs the benchmarks that are asked for, prints the report, writes JSON and plot."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from scripts.benchmarks import machine, plot, report
from scripts.benchmarks.catalogue import BENCHMARKS
from scripts.benchmarks.measure import Benchmark, CannotMeasure, Extent, Round

_QUICK_ROUNDS = 3


def main() -> int:
    arguments = _parser().parse_args()
    extent = Extent(quick=arguments.quick, peers=arguments.peers)
    chosen = [each for each in BENCHMARKS if _is_chosen(each, arguments.only)]
    _forget_settings()
    # Told to stop, it leaves through every `with`, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    before = machine.load()
    try:
        outcomes = [report.Outcome(each, extent, _rounds(each, extent)) for each in chosen]
    except CannotMeasure as error:
        sys.stderr.write(f"\nscripts/bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    rows = [row for outcome in outcomes for row in outcome.rows()]
    sys.stdout.write(report.table(rows))
    if arguments.json:
        facts = machine.facts() | {"load_before": before, "load_after": machine.load()}
        document = report.document(outcomes, facts, extent)
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if arguments.svg:
        arguments.svg.write_text(plot.svg(rows))
    return 0


def _forget_settings() -> None:
    """What is measured has the settings of its benchmark: the shell's may name a database that is in use."""
    for name in [name for name in os.environ if name.startswith("HOURMARK")]:
        del os.environ[name]


def _rounds(benchmark: Benchmark, extent: Extent) -> list[Round]:
    count = min(_QUICK_ROUNDS, benchmark.rounds) if extent.quick else benchmark.rounds
    seen = []
    with benchmark.prepare(extent) as one_round:
        for number in range(1, count + 1):
            sys.stderr.write(f"\r{benchmark.name}: round {number} of {count} ")
            sys.stderr.flush()
            seen.append(one_round())
    sys.stderr.write("\n")
    return seen


def _is_chosen(benchmark: Benchmark, only: list[str] | None) -> bool:
    return benchmark.name in only if only else not benchmark.is_slow


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="What Hourmark costs, each figure beside its target."
    )
    slow = ", ".join(each.name for each in BENCHMARKS if each.is_slow)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: to see that it runs")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=[each.name for each in BENCHMARKS],
        help=f"some of: {', '.join(each.name for each in BENCHMARKS)}; runs only when named: {slow}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round's samples, and the machine")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="a plot of all figures that have a target")
    parser.add_argument(
        "--no-peers", dest="peers", action="store_false", help="leave out what others have made"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
