"""Runs a command as a job: it finds its ticket in a file, and whatever happens, the job ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from holder.credentials import FILE_VARIABLE, VARIABLE
from holder.errors import HolderError

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KILLED = 128
"""What shells add to the number of the signal that ended a command."""


def run(command: Sequence[str], *, ticket: str, url: str, environ: Mapping[str, str]) -> int:
    """The command's exit code, as a shell has it. Signals go on to it. Raises NotStarted.

    The submitter's own credential is not handed on.
    """
    with _ticket_file(ticket) as file:
        own = {name: value for name, value in environ.items() if name not in (VARIABLE, "HOURMARK_PROFILE")}
        own |= {"HOURMARK_URL": url, FILE_VARIABLE: str(file)}
        try:
            process = subprocess.Popen(command, env=own)  # noqa: S603 - what the user asked for
        except OSError as error:
            raise NotStarted(command[0], error) from None
        with _forwarding(process):
            code = process.wait()
    return code if code >= 0 else _KILLED - code


class NotStarted(HolderError):
    """The command cannot be run at all."""

    def __init__(self, command: str, error: OSError) -> None:
        super().__init__(
            f"{command} cannot be run",
            error.strerror or type(error).__name__,
            "write the command behind -- as a shell would find it",
            code="command_not_started",
        )


@contextmanager
def _ticket_file(ticket: str) -> Iterator[Path]:
    """In a folder that nobody else can enter."""
    with tempfile.TemporaryDirectory(prefix="hourmark-job-") as folder:
        file = Path(folder) / "ticket"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(ticket)
        yield file


@contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """While the command runs, it is the one who is asked to stop."""

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        # A terminal has told the command too, when it told us.
        if number != signal.SIGINT or not os.isatty(0):
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
