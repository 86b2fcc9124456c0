"""scripts/bench runs, and its report has every row that it promises. How fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from statistics import median
from typing import Any

import pytest

from scripts.benchmarks.catalogue import BENCHMARKS
from scripts.benchmarks.measure import Benchmark, Extent, Measure, at_least, at_most
from scripts.benchmarks.report import Row, table
from tests.running_issuer import clean_environment
from tests.vectors import PROJECT

QUICK = Extent(quick=True, peers=False)
IN_PROCESS = ("verifying", "garbage", "lists")
"""What needs neither servers nor programs of others."""


@dataclass(frozen=True)
class Ran:
    """What a quick run printed and wrote."""

    printed: str
    report: str
    plot: str


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(PROJECT / "scripts" / "bench"), *map(str, arguments)]
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("bench")
    files = {"--json": folder / "bench.json", "--svg": folder / "bench.svg"}
    written = [part for option in files.items() for part in option]
    done = bench("--quick", "--no-peers", "--only", *IN_PROCESS, *written)
    assert done.returncode == 0, done.stderr
    return Ran(done.stdout, *(file.read_text() for file in files.values()))


def promised(names: tuple[str, ...]) -> dict[str, list[str]]:
    """The rows of these benchmarks, by benchmark."""
    return {
        each.name: [measure.name for measure in each.promised(QUICK)]
        for each in BENCHMARKS
        if each.name in names
    }


def test_a_quick_run_reports_every_row_that_is_promised(quick_run: Ran) -> None:
    reported: dict[str, list[str]] = {}
    for row in json.loads(quick_run.report)["rows"]:
        reported.setdefault(row["benchmark"], []).append(row["name"])
    assert reported == promised(IN_PROCESS)


def test_a_reported_row_follows_from_the_rounds(quick_run: Ran) -> None:
    document: dict[str, Any] = json.loads(quick_run.report)
    for row in document["rows"]:
        rounds = document["rounds"][row["benchmark"]]
        values = [seen[row["of"]] / (seen[row["over"]] if row["over"] else 1) for seen in rounds]
        assert (row["min"], row["median"], row["max"]) == (min(values), median(values), max(values))
        assert row["min"] > 0, row


def test_table_and_plot_show_the_same_rows(quick_run: Ran) -> None:
    rows = json.loads(quick_run.report)["rows"]
    assert [row["name"] for row in rows if row["name"] not in quick_run.printed] == []
    with_target = [row["name"] for row in rows if row["target"]]
    assert [name for name in with_target if f">{name}</text>" not in quick_run.plot] == []


def test_the_report_tells_the_machine_and_no_folder_on_it(quick_run: Ran) -> None:
    facts = json.loads(quick_run.report)["machine"]
    assert {"cores", "python", "packages", "load_before", "load_after"} <= set(facts)
    assert str(PROJECT) not in quick_run.report


def test_a_benchmark_that_does_not_exist_is_refused_with_those_that_do() -> None:
    done = bench("--only", "everything")
    assert done.returncode == 2
    assert all(each.name in done.stderr for each in BENCHMARKS)


def test_every_row_is_explained() -> None:
    manual = (PROJECT / "docs" / "performance.md").read_text()
    names = [measure.name for each in BENCHMARKS for measure in each.measures if measure.target]
    assert [name for name in names if f"| {name} |" not in manual] == []


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda each: each.name)
def test_rows_have_names_of_their_own_and_only_peers_are_left_out(benchmark: Benchmark) -> None:
    names = [measure.name for measure in benchmark.measures]
    assert len(set(names)) == len(names)
    with_peers = benchmark.promised(Extent(quick=True, peers=True))
    assert with_peers == benchmark.measures
    assert set(with_peers) - set(benchmark.promised(QUICK)) == {
        measure for measure in with_peers if measure.is_peers
    }


@pytest.mark.parametrize(
    ("target", "value", "met", "margin"),
    [
        (at_most(2), 2, True, 1),
        (at_most(2), 4, False, 0.5),
        (at_most(2), 1, True, 2),
        (at_least(2), 2, True, 1),
        (at_least(2), 4, True, 2),
        (at_least(2), 1, False, 0.5),
    ],
)
def test_a_target_is_met_up_to_its_bound(target: Any, value: float, met: bool, margin: float) -> None:
    assert (target.is_met(value), target.margin(value)) == (met, margin)


def test_a_measure_divides_what_one_round_saw() -> None:
    measure = Measure(name="cold ÷ raw", of="cold µs", over="raw µs")
    assert measure.value({"cold µs": 3, "raw µs": 2}) == 1.5


def test_the_table_says_which_targets_are_missed() -> None:
    met = Measure(name="fast", of="fast", unit="µs", target=at_most(0.8))
    missed = Measure(name="slow", of="slow", target=at_least(150))
    free = Measure(name="free", of="free", unit="bytes")
    lines = table(
        [
            Row("first", met, 0.5, 0.4, 0.61),
            Row("first", missed, 93.2, 47, 251),
            Row("second", free, 14080, 14080, 14090),
        ]
    ).splitlines()
    assert [line.split() for line in lines] == [
        ["median", "min", "…", "max", "target", "met"],
        [],
        ["first"],
        ["fast", "0.500", "µs", "0.400", "…", "0.610", "≤", "0.8", "µs", "yes"],
        ["slow", "93.2", "47.0", "…", "251", "≥", "150", "NO"],
        [],
        ["second"],
        ["free", "14,080", "bytes", "14,080", "…", "14,090", "-"],
    ]
