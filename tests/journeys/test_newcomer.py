"""A newcomer's walk: a fresh clone, and the commands that the documents print, copied into bash.

Not run are `scripts/check` (it takes a minute and CI runs it by itself: only that it is there is looked at),
the benchmarks behind `scripts/bench` (they take many: only its `--help`), the suite behind `scripts/test` (it
is this one: its tests are collected), and in the operating manual what has something to fill in other than
NAME and KID.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import httpx
import pytest

from tests.journeys.client import READ, seconds_until
from tests.journeys.clone import make_clone
from tests.journeys.conftest import Measured
from tests.journeys.printed import command_blocks, fenced_blocks, inline, is_complete
from tests.journeys.stopwatch import own_seconds
from tests.journeys.terminal import Terminal
from tests.recorded import is_recorded
from tests.running_issuer import BIN, clean_environment
from tests.vectors import PROJECT

PORT = 8700
FIRST_START = 600.0
END_SECONDS = 10
ADMIN = "ada"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return make_clone(tmp_path / "clone")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Nothing of the tests' own environment is on its PATH."""
    with Terminal(tmp_path) as opened:
        path = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != BIN]
        opened(f"export PATH={shlex.quote(os.pathsep.join(path))}")
        yield opened


@contextmanager
def serving(
    command: str, folder: Path, output: Path, port: int = PORT, /, **settings: str
) -> Iterator[float]:
    """Another terminal, where the command serves to the end of the block; gives how long its start took."""
    with socket.socket() as taken:
        if taken.connect_ex(("127.0.0.1", port)) == 0:
            pytest.skip(f"port {port} is taken: end what listens there")
    began = time.monotonic()
    with output.open("wb") as file, httpx.Client(timeout=5) as http:
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", command],
            env=clean_environment(**settings),
            cwd=folder,
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
        answer = http.get(f"http://127.0.0.1:{port}/readyz")
    except httpx.TransportError:
        return False
    assert is_recorded(answer.headers["X-Request-Id"]), "nobody compares what it answers"
    return answer.status_code == httpx.codes.OK


def printed_curl(output: Path) -> str:
    (curl,) = (line.strip() for line in output.read_text().splitlines() if line.strip().startswith("curl "))
    return curl


def printed_key(output: Path) -> str:
    """It stands in the curl, and alone on a line too, to be kept."""
    key = printed_curl(output).split("'")[1]
    assert key in [line.strip() for line in output.read_text().splitlines()]
    return key


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


def _is_role_token(out: str) -> None:
    issued = json.loads(out)
    assert (issued["token_type"], issued["expires_in"], issued["scope"]) == ("Bearer", 3600, READ)


def _is_role(out: str) -> None:
    assert "role:org.account.token" in out


def _has_tests(out: str) -> None:
    assert " tests collected" in out


GIVES: dict[str, Callable[[str], None]] = {
    "scripts/test": _has_tests,
    "$HOURMARK_URL/v1/me": _is_role,
    "$HOURMARK_URL/v1/token": _is_role_token,
    "hourmark whoami": _is_role,
}
"""By how a command ends, what it gives. Every other one has to succeed."""
NEEDS_NOTHING = {
    "hourmarkd config show",
    "hourmarkd doctor",
    "hourmarkd keys list",
    "hourmarkd keys rotate",
    "hourmarkd keys export",
    "hourmarkd audit verify",
    "hourmarkd db upgrade",
}
"""What the operating manual must name so that it can be copied as it stands."""


def copy_into(terminal: Terminal, command: str) -> str | None:
    """Runs it, looks at what it gives; says which promise that was."""
    out = terminal(command)
    promised = next((end for end in GIVES if command.endswith(end)), None)
    if promised is not None:
        GIVES[promised](out)
    return promised


@pytest.mark.slow
def test_readme_from_top_to_bottom(
    clone: Path, terminal: Terminal, tmp_path: Path, measured: Measured
) -> None:
    readme = (clone / "README.md").read_text()
    terminal(f"cd {shlex.quote(str(clone))}")
    (start, *others), *sessions = command_blocks(readme)
    first, again = tmp_path / "output", tmp_path / "output-again"
    with serving(start, clone, first) as took:
        measured(f"{start} in a fresh clone", took)
        assert terminal.json(printed_curl(first))["expires_in"] == 3600
        key = printed_key(first)
        # The suite is this one: its tests are found, and not run once more inside themselves.
        terminal('export PYTEST_ADDOPTS="--collect-only --quiet --cov-report= --cov-fail-under=0"')
        terminal(f"ROLE_KEY={shlex.quote(key)}")
        promises = {copy_into(terminal, command) for command in [*others, *chain(*sessions)]}
        assert promises >= GIVES.keys()
        terminal('raw=$(hourmark login token --app-token "$TOKEN")')
        for block in fenced_blocks(readme, "python"):
            (tmp_path / "block.py").write_text(f"import sys\n\nraw = sys.argv[1]\n{block}")
            terminal(f"python {shlex.quote(str(tmp_path / 'block.py'))} $raw")
        assert {"scripts/check", "scripts/bench"} <= set(inline(readme))
        terminal("test -x scripts/check && bash -n scripts/check")
        assert "--quick" in terminal("scripts/bench --help")
        keys = terminal("curl $HOURMARK_URL/.well-known/jwks.json")

    # "The second start keeps everything": no second key is printed, and all that was made is there.
    with serving(start, clone, again) as took:
        measured(f"{start} again", took)
        assert "hmk_" not in again.read_text()
        assert "org.account.token" in terminal("hourmark role list")
        assert terminal("curl $HOURMARK_URL/.well-known/jwks.json") == keys
        assert terminal.json(printed_curl(first))["expires_in"] == 3600
        terminal("hourmark verify $raw")
        (whoami,) = (command for command in sessions[-1] if command.endswith("hourmark whoami"))
        assert copy_into(terminal, whoami) in GIVES


@pytest.mark.slow
def test_the_operating_manual(terminal: Terminal, tmp_path: Path) -> None:
    """In this working copy: that a fresh one gets all that it needs is the README's story."""
    manual = (PROJECT / "docs" / "operating.md").read_text()
    terminal(f"cd {shlex.quote(str(PROJECT))}; export PATH={shlex.quote(str(BIN))}:$PATH")

    # A start on a port of its own prints a line that names that port.
    (start,) = (
        command for command in inline(manual) if re.fullmatch(r"HOURMARKD_PORT=\d+ scripts/start", command)
    )
    output, port = tmp_path / "output", int(re.sub(r"\D", "", start))
    with serving(start, PROJECT, output, port, HOURMARKD_DATA_DIR=str(tmp_path / "first")):
        assert f"http://127.0.0.1:{port}/" in printed_curl(output)
        assert terminal.json(printed_curl(output))["expires_in"] == 3600

    # By hand: a key-encryption key, `init`, `serve`, and all that needs nothing filled in.
    (make_key,) = (command for command in inline(manual) if command.startswith("head "))
    settings = {"HOURMARKD_DATA_DIR": str(tmp_path / "second")}
    settings["HOURMARKD_KEY_ENCRYPTION_KEY"] = terminal(make_key).strip()
    for name, value in settings.items():
        terminal(f"export {name}={shlex.quote(value)}")
    (init, serve), (list_keys, revoke) = command_blocks(manual)
    output.write_text(terminal(init.replace("NAME", ADMIN)))
    settings["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    with serving(serve, PROJECT, tmp_path / "serve", PORT, **settings):
        terminal(f"export HOURMARK_URL=http://127.0.0.1:{PORT} HOURMARK_TOKEN={printed_key(output)}")
        assert f"user:{ADMIN}" in terminal("hourmark whoami")
        stolen = signing_key(terminal, list_keys)
        # "It asks once; in a script say `--yes`."
        terminal(revoke.replace("KID", stolen).replace(" revoke ", " revoke --yes "))
        assert signing_key(terminal, list_keys) != stolen
        seconds_until(lambda: stolen not in terminal("curl $HOURMARK_URL/.well-known/jwks.json"))
        assert f"user:{ADMIN}" in terminal("hourmark whoami")
    ran = [command for command in inline(manual) if command.startswith("hourmarkd ") and is_complete(command)]
    for command in ran:
        terminal(command)
    assert set(ran) >= NEEDS_NOTHING


def signing_key(terminal: Terminal, list_keys: str) -> str:
    """The kid of the only key that signs."""
    (kid,) = (line.split()[0] for line in terminal(list_keys).splitlines() if "current" in line.split())
    return kid
