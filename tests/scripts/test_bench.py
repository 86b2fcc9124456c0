"""scripts/bench runs, and its report has every row that it promises. How fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
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


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(PROJECT / "scripts" / "bench"), *map(str, arguments)]
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)


def promised(names: tuple[str, ...]) -> dict[str, list[str]]:
    """The rows of these benchmarks, by benchmark."""
    return {
        each.name: [measure.name for measure in each.promised(QUICK)]
        for each in BENCHMARKS
        if each.name in names
    }


def test_a_quick_run_reports_every_row_in_table_json_and_plot(tmp_path: Path) -> None:
    report, plot = tmp_path / "bench.json", tmp_path / "bench.svg"
    done = bench("--quick", "--no-peers", "--only", *IN_PROCESS, "--json", report, "--svg", plot)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(report.read_text())

    reported: dict[str, list[str]] = {}
    for row in document["rows"]:
        reported.setdefault(row["benchmark"], []).append(row["name"])
        assert row["min"] <= row["median"] <= row["max"]
        assert row["min"] > 0, row
        seen = document["rounds"][row["benchmark"]]
        assert all(row["of"] in one_round for one_round in seen)
        assert (row["met"] is None) == (row["target"] is None)
    assert reported == promised(IN_PROCESS)

    for names in reported.values():
        assert all(name in done.stdout for name in names)
    drawn = plot.read_text()
    assert all(f">{row['name']}</text>" in drawn for row in document["rows"] if row["target"])


def test_the_report_names_neither_machine_nor_folder(tmp_path: Path) -> None:
    report = tmp_path / "bench.json"
    done = bench("--quick", "--no-peers", "--only", "lists", "--json", report)
    assert done.returncode == 0, done.stderr
    facts = json.loads(report.read_text())["machine"]
    assert {"cores", "python", "packages", "load_before", "load_after"} <= set(facts)
    assert str(PROJECT) not in report.read_text()


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
