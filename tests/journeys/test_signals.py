"""What a launcher does with a signal depends on who sent it: a terminal tells its command as well."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Screen, Terminal
from tests.running_issuer import RunningIssuer

COUNTS = """
import os, pathlib, signal, sys
heard = []
def hear(number, frame):
    heard.append(number)
    print("heard", len(heard), flush=True)
def end(number, frame):
    print(len(heard), "in all", flush=True)
    sys.exit(7)
signal.signal(signal.SIGINT, hear)
signal.signal(signal.SIGTERM, end)
pathlib.Path("launcher").write_text(str(os.getppid()))
print("began", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


@pytest.fixture
def screen(issuer: RunningIssuer, tmp_path: Path) -> Iterator[Screen]:
    (tmp_path / "counts").write_text(COUNTS)
    with Screen(tmp_path, HOURMARK_URL=issuer.url, HOURMARK_TOKEN=issuer.admin_key) as opened:
        yield opened


@pytest.mark.parametrize("stdin", ["", "</dev/null"], ids=["at a terminal", "with other input"])
def test_ctrl_c_and_kill_are_heard_once_each(screen: Screen, tmp_path: Path, stdin: str) -> None:
    screen.type(f"hourmark exec -- {sys.executable} counts {stdin}\n")
    screen.until("began")
    launcher = (tmp_path / "launcher").read_text().strip()
    for number in range(1, 6):  # two at once may be one: more often would show
        screen.type("\x03")
        screen.until(f"heard {number}")
    with Terminal(tmp_path) as elsewhere:
        elsewhere(f"kill -INT {launcher}")
        screen.until("heard 6")
        elsewhere(f"kill -TERM {launcher}")
    ended = screen.ends()
    assert (ended.code, ended.shown.strip()) == (7, "6 in all")
