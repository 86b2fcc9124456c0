"""A terminal as a user has it open: bash, whose variables live on from line to line."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.running_issuer import BIN, clean_environment

_END_SECONDS = 5


@dataclass(frozen=True)
class Done:
    """A line that was typed and has ended."""

    code: int
    out: str
    err: str


class Terminal:
    """`hourmark` and `hourmarkd` are on its PATH; the home directory and all that is kept are in `folder`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        for program in ("bash", "curl"):
            if shutil.which(program) is None:
                pytest.skip(f"no {program}: install it")
        own = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
        own |= {"XDG_CONFIG_HOME": str(folder / "config"), "COLUMNS": "200"}
        self._folder = folder
        self._lines = itertools.count(1)
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            env=clean_environment(**own, **environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bash.communicate(timeout=_END_SECONDS)  # the end of its input ends it

    def run(self, line: str) -> Done:
        """Types the line and waits for its end."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        number = next(self._lines)
        out, err = self._folder / f"line-{number}.out", self._folder / f"line-{number}.err"
        streams = f"</dev/null >{shlex.quote(str(out))} 2>{shlex.quote(str(err))}"
        # Braces, not parentheses: what the line sets stays set.
        self._bash.stdin.write(f"{{ {line}\n}} {streams}; echo $?\n")
        self._bash.stdin.flush()
        code = self._bash.stdout.readline()
        assert code, f"bash itself ended at: {line}"
        return Done(int(code), out.read_text(), err.read_text())

    def __call__(self, line: str) -> str:
        """What the line prints; it must succeed."""
        done = self.run(line)
        assert done.code == 0, f"{line}\n{done.out}{done.err}"
        return done.out

    def json(self, line: str) -> Any:
        """What the line prints, as JSON."""
        return json.loads(self(line))
