"""From a fresh clone to a token: `scripts/start`, and the line that it prints, copied into a terminal."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import described
from tests.journeys.conftest import Measured
from tests.journeys.stopwatch import own_seconds
from tests.journeys.terminal import Terminal
from tests.running_issuer import clean_environment, free_port
from tests.vectors import PROJECT

PORT = 8700
URL = f"http://127.0.0.1:{PORT}"
FIRST_START = 600.0
SECOND_START = 3.0
END_SECONDS = 10


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a commit of all that is here would hold, in another place."""
    if shutil.which("git") is None:
        pytest.skip("no git: install it")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout, so nobody knows what a clone would hold")
    for name in listed.stdout.split("\0"):
        if name and (PROJECT / name).is_file():
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, tmp_path / "clone" / name)
    return tmp_path / "clone"


@contextmanager
def started(clone: Path, output: Path, port: int = PORT, **settings: str) -> Iterator[float]:
    """Runs scripts/start until it serves; gives how long that took."""
    with socket.socket() as taken:
        if taken.connect_ex(("127.0.0.1", port)) == 0:
            pytest.skip(f"port {port} is taken: end what listens there")
    began = time.monotonic()
    with output.open("wb") as file, httpx.Client(timeout=5, event_hooks=described.HOOKS) as http:
        process = subprocess.Popen(
            [clone / "scripts" / "start"],
            env=clean_environment(**settings),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that nothing it started, such as pip, is left behind
        )
        try:
            while not _is_ready(http, port):
                assert process.poll() is None, output.read_text()
                assert time.monotonic() - began < FIRST_START, output.read_text()
                time.sleep(0.02)
            yield own_seconds(process.pid, since=began)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(END_SECONDS)


def _is_ready(http: httpx.Client, port: int) -> bool:
    try:
        return http.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def printed_curl(output: Path) -> str:
    (curl,) = (line.strip() for line in output.read_text().splitlines() if line.strip().startswith("curl "))
    return curl


def test_arguments_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    """`init` would not see them, and print a line that names another port."""
    copy = tmp_path / "scripts" / "start"
    copy.parent.mkdir()
    shutil.copy2(PROJECT / "scripts" / "start", copy)
    done = subprocess.run(
        [copy, "--port", "8731"], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "scripts/start takes no arguments; try: HOURMARKD_PORT=8731 scripts/start\n"


@pytest.mark.slow
def test_a_fresh_clone_starts_and_the_line_it_prints_gets_a_token(
    clone: Path, tmp_path: Path, measured: Measured
) -> None:
    output = tmp_path / "output"
    with started(clone, output) as took, Terminal(tmp_path, HOURMARK_URL=URL) as terminal:
        measured("scripts/start in a fresh clone", took)
        curl = printed_curl(output)
        issued = terminal.json(curl)
        assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 3600)
        # The key stands alone on a line too, to be kept.
        key = curl.split("'")[1]
        assert key in [line.strip() for line in output.read_text().splitlines()]
        terminal(f"export HOURMARK_TOKEN={key} JWT={issued['access_token']}")
        assert "user:admin" in terminal("hourmark whoami")
        terminal("hourmark role new org.account.kept")
        keys = terminal("curl $HOURMARK_URL/.well-known/jwks.json")

    # Again: no second key is printed, the first one still opens everything, and everything is still there.
    again = tmp_path / "output-again"
    with started(clone, again) as took, Terminal(tmp_path, HOURMARK_URL=URL) as terminal:
        measured("scripts/start again", took)
        assert took < SECOND_START
        assert "hmk_" not in again.read_text()
        terminal(f"export HOURMARK_TOKEN={key} JWT={issued['access_token']}")
        assert "org.account.kept" in terminal("hourmark role list")
        assert terminal("curl $HOURMARK_URL/.well-known/jwks.json") == keys
        terminal("hourmark verify $JWT")
        assert terminal.json(curl)["expires_in"] == 3600

    # A second issuer from the same clone, on a port of its own: the line that it prints names that port.
    second, port = tmp_path / "output-second", free_port()
    data = str(tmp_path / "second")
    with (
        started(clone, second, port, HOURMARKD_PORT=str(port), HOURMARKD_DATA_DIR=data),
        Terminal(tmp_path, HOURMARK_URL=f"http://127.0.0.1:{port}") as terminal,
    ):
        curl = printed_curl(second)
        terminal(f"export JWT={terminal.json(curl)['access_token']}")
        terminal("hourmark verify $JWT")
