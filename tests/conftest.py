"""Rules for every test: nothing is skipped in CI, no issuer answers what its OpenAPI document does not say,
what takes long begins first.

One real PostgreSQL for those that ask.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping

import pytest
from hypothesis import HealthCheck, settings

from tests.postgresql import PostgresBinaries, PostgresServer
from tests.preloaded import preloading
from tests.recorded import Recorded, recorded

Counted = Callable[[str, Mapping[str, int]], None]
_SECTIONS = ("counted", "measured")

# No deadline: a busy machine is not a defect. CI looks further and prints how to repeat a failure.
settings.register_profile("hourmark", deadline=None)
settings.register_profile(
    "hourmark-ci",
    deadline=None,
    max_examples=200,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hourmark-ci" if os.environ.get("CI") else "hourmark")

# Behind a shell that runs them in the background, or `nohup`, tests would start processes that ignore these.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Where HOURMARK_TEST_NO_SKIP=1, a skip is a failure; an expected failure (xfail) is none."""
    if os.environ.get("HOURMARK_TEST_NO_SKIP") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: {reason}; where HOURMARK_TEST_NO_SKIP=1 nothing may be skipped"


_LONGEST_FIRST = ("tests/journeys/test_newcomer.py", "tests/journeys", "tests/browser", "tests/faults")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever divides the files among processes hands them out in this order, and the last ones are short."""
    items.sort(key=lambda item: [not item.nodeid.startswith(place) for place in _LONGEST_FIRST])


# Outermost of all wrappers: pytest itself turns the skip marks into reports in such a wrapper.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Every run shows what its tests recorded as properties named `counted: …` and `measured: …`."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    properties = [
        (str(name).partition(": "), value, report.nodeid.rpartition("/")[2])
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
    ]
    for wanted in _SECTIONS:
        told = [
            f"{value}  {what}  ({test})"
            for (section, _, what), value, test in properties
            if section == wanted
        ]
        if told:
            terminalreporter.section(wanted)
            for line in sorted(told, reverse=True):
                terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """All that issuers answer, from before the first of them is started until the last has ended."""
    with recorded(tmp_path_factory.mktemp("answers")) as found, preloading():
        yield found


@pytest.fixture(autouse=True)
def _answers_are_as_described(answers: Recorded) -> Iterator[None]:
    """Begins before every other fixture of a test and so ends after them."""
    yield
    answers.compare()


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """`counted("what", {"of a kind": number})` is shown when the run ends, and kept in its report."""

    def keep(what: str, numbers: Mapping[str, int]) -> None:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(numbers.items()))
        record_property(f"counted: {what}: {kinds}", f"{sum(numbers.values()):7d}")

    return keep


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The service runs on asyncio (uvloop) alone."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process; every test takes its own `create_database()`."""
    binaries = PostgresBinaries.find()
    if binaries is None:
        pytest.skip("no PostgreSQL: install the dev requirements, or Debian's package postgresql")
    with PostgresServer(binaries) as server:
        yield server
