"""`hourmarkd` as an operator types it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from issuer.cli import main
from tests.running_issuer import BIN, clean_environment


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def hourmarkd(command: str, folder: Path | None = None, /, **settings: str) -> Done:
    """Runs it to its end in this process, with its data in `folder`, and nobody at the keyboard."""
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    given = {"HOURMARKD_DATA_DIR": str(folder)} if folder else {}
    with (
        patch.dict(os.environ, clean_environment(**given | settings), clear=True),
        patch.object(sys, "stdin", io.StringIO()),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main(command.split())
    code = ended.value.code
    assert isinstance(code, int)
    return Done(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def in_a_process(command: str, folder: Path, **settings: str) -> Done:
    """The same as an operator does it: `serve` takes the signals of its process, and others its time."""
    environment = clean_environment(**{"HOURMARKD_DATA_DIR": str(folder), "NO_COLOR": "1"} | settings)
    program = [str(BIN / "hourmarkd"), *command.split()]
    done = subprocess.run(
        program, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return Done(done.returncode, done.stdout, done.stderr)


def full(settings: dict[str, str]) -> dict[str, str]:
    """By their full names: tables are read more easily without the prefix."""
    return {f"HOURMARKD_{name}": value for name, value in settings.items()}


def assert_refused(done: Done, code: int, *said: str) -> None:
    """One line for people, on stderr, and no traceback."""
    assert (done.code, done.out) == (code, ""), done
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("hourmarkd: ")
    for text in said:
        assert text in lines[0]
