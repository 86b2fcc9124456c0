"""`hourmarkd` as an operator types it."""

from __future__ import annotations

import os
import subprocess
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


def hourmarkd(command: str, folder: Path, **settings: str) -> Done:
    """Runs it to its end, with its data in `folder`."""
    environment = clean_environment(**{"HOURMARKD_DATA_DIR": str(folder), "NO_COLOR": "1"} | settings)
    program = [str(BIN / "hourmarkd"), *command.split()]
    done = subprocess.run(
        program, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return Done(done.returncode, done.stdout, done.stderr)


def in_this_process(command: str, capsys: pytest.CaptureFixture[str], **settings: str) -> Done:
    """For tables of settings: processes would take minutes."""
    environment = clean_environment(**{f"HOURMARKD_{name}": value for name, value in settings.items()})
    with patch.dict(os.environ, environment, clear=True), pytest.raises(SystemExit) as ended:
        main(command.split())
    code = ended.value.code
    assert isinstance(code, int)
    return Done(code, *capsys.readouterr())


def assert_refused(done: Done, code: int, *said: str) -> None:
    """One line for people, on stderr, and no traceback."""
    assert (done.code, done.out) == (code, ""), done
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("hourmarkd: ")
    for text in said:
        assert text in lines[0]
