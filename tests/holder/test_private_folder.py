"""The folder of a command: nobody else's, gone with whoever needs it, and with the next one at the latest."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holder.private_folder import private_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders for a while are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make_another() -> None:
    with private_folder():
        pass


_KILLED = """
import os, signal, subprocess, sys
from holder.private_folder import private_folder

with private_folder() as folder:
    (folder.path / "ticket").write_text("secret")
    subprocess.Popen([sys.executable, "-c", "input()"], pass_fds=[folder.lock])
    print(folder.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@contextmanager
def killed(place: Path) -> Iterator[Path]:
    """The folder of a launcher that was killed, whose command goes on until the end of the block."""
    environ = {**os.environ, "TMPDIR": str(place)}
    pipe = subprocess.PIPE
    launcher = subprocess.Popen([sys.executable, "-c", _KILLED], env=environ, stdin=pipe, stdout=pipe)
    assert launcher.stdin is not None
    assert launcher.stdout is not None
    with launcher.stdin, launcher.stdout:
        assert launcher.wait() == -signal.SIGKILL
        path = Path(launcher.stdout.readline().decode().strip())
        yield path
    with (path / "hourmark.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for the command's end


def test_nobody_else_enters_it_and_it_goes_with_the_block(place: Path) -> None:
    with private_folder() as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        make_another()
        assert folder.path.exists(), "the next one leaves it alone"
    assert list(place.iterdir()) == []


def test_one_whose_launcher_was_killed_is_its_commands_and_then_goes_with_the_next(place: Path) -> None:
    with killed(place) as path:
        make_another()
        assert (path / "ticket").exists()
    make_another()
    assert list(place.iterdir()) == []


def test_that_of_another_user_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with killed(place) as path:
        pass
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    make_another()
    assert (path / "ticket").exists()


def test_what_is_not_ours_is_left_alone(place: Path) -> None:
    elsewhere = place / "elsewhere"
    for folder in (elsewhere, place / "hourmark-run-without-lock", place / "hourmark-main"):
        folder.mkdir()
        (folder / "file").touch()
    for folder in (elsewhere, place / "hourmark-main"):
        (folder / "hourmark.lock").touch()
    (place / "hourmark-run-link").symlink_to(elsewhere)
    (place / "hourmark-run-lock-elsewhere").mkdir()
    (place / "hourmark-run-lock-elsewhere" / "hourmark.lock").symlink_to(elsewhere / "hourmark.lock")
    before = sorted(place.rglob("*"))
    make_another()
    assert sorted(place.rglob("*")) == before
