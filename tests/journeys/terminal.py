"""A terminal as a user has it open: bash, whose variables live on from line to line.

Terminal is bash as a script or a CI runner has it, where nobody can be asked; at a Screen somebody sits.
"""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.running_issuer import BIN, clean_environment

_END_SECONDS = 5
_SHOWN_SECONDS = 30


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
        self._folder = folder
        self._lines = itertools.count(1)
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            env=_at_home(folder, COLUMNS="200", **environment),
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


class Screen:
    """Bash in a pseudo-terminal: keys go in, and what they bring to the screen is read."""

    _PROMPT = re.compile(r"\[(\d+)\]> $")

    def __init__(self, folder: Path, **environment: str) -> None:
        for program in ("bash", "setsid"):
            if shutil.which(program) is None:
                pytest.skip(f"no {program}: install it")
        # The prompt shows the exit code of the last line, so nothing has to be typed to learn it.
        own = {"PS1": "[$?]> ", "TERM": "xterm", "INPUTRC": "/dev/null", "HISTFILE": ""}
        own |= {"CI": ""}  # somebody sits here, also where the tests run without anybody
        self._keys, follower = pty.openpty()
        termios.tcsetwinsize(follower, (50, 200))
        self._bash = subprocess.Popen(
            # Its session's own terminal: that is where Ctrl-C comes from.
            ["setsid", "--ctty", "--wait", "bash", "--noprofile", "--norc", "-i"],
            env=_at_home(folder, **own, **environment),
            cwd=folder,
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        self._unread = ""
        self.until(self._PROMPT)
        # Without it bash marks what is pasted, with characters that are on no screen.
        self.run("bind 'set enable-bracketed-paste off'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bash.kill()
        self._bash.wait(_END_SECONDS)
        os.close(self._keys)

    def type(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    def until(self, shown: str | re.Pattern[str]) -> str:
        """Everything that came to the screen up to `shown`, which must come."""
        pattern = re.compile(re.escape(shown)) if isinstance(shown, str) else shown
        deadline = time.monotonic() + _SHOWN_SECONDS
        while (match := pattern.search(self._unread)) is None:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._keys], [], [], max(left, 0))
            assert ready, f"{pattern.pattern!r} did not come in {_SHOWN_SECONDS} s:\n{self._unread}"
            self._unread += os.read(self._keys, 4096).decode(errors="replace").replace("\r\n", "\n")
        seen, self._unread = self._unread[: match.end()], self._unread[match.end() :]
        return seen

    def ends(self) -> Typed:
        """Waits for the line that was typed to end."""
        seen = self.until(self._PROMPT)
        match = self._PROMPT.search(seen)
        assert match is not None
        return Typed(int(match[1]), seen[: match.start()])

    def run(self, line: str) -> Typed:
        """Types the line and waits for its end."""
        self.type(line + "\n")
        return self.ends()


@dataclass(frozen=True)
class Typed:
    """A line that was typed on a screen and has ended: words and data come to the same place there."""

    code: int
    shown: str


def _at_home(folder: Path, **environment: str) -> dict[str, str]:
    own = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    return clean_environment(**own, XDG_CONFIG_HOME=str(folder / "config"), **environment)
