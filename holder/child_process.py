"""Runs a command in our place: signals are the command's, and its exit code is ours."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Self

from holder.errors import HolderError

_FROM_TERMINALS = (signal.SIGINT, signal.SIGQUIT)
"""What a terminal sends to all that runs in its foreground."""
_OF_THE_COMMAND = (*_FROM_TERMINALS, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_KILLED = 128
"""What shells add to the number of the signal that ended a command."""


class NotStarted(HolderError):
    """The command cannot be run at all."""

    def __init__(self, command: str, error: OSError) -> None:
        super().__init__(
            f"{command} cannot be run",
            error.strerror or type(error).__name__,
            "write the command behind -- as a shell would find it",
            code="command_not_started",
        )


class ChildProcess:
    """From the beginning of the block to its end no signal ends us in the middle of something.

    One that comes before the command runs is the reason not to run it; one that comes after it is late.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def __enter__(self) -> Self:
        # What is ignored stays ignored, by the command too: nohup means it.
        heard = [number for number in _OF_THE_COMMAND if signal.getsignal(number) != signal.SIG_IGN]
        self._handlers = {number: signal.signal(number, self._pass_on) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def run(self, environ: Mapping[str, str], *inherited: int) -> int:
        """The exit code, as a shell has it. Raises NotStarted.

        inherited: file descriptors that the command keeps open.
        """
        if self._early:
            return _KILLED + self._early[0]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what was asked for
                self._command, env=environ, pass_fds=inherited
            )
        except OSError as error:
            raise NotStarted(self._command[0], error) from None
        for number in self._early:  # while it was being started
            self._process.send_signal(number)
        code = self._process.wait()
        return code if code >= 0 else _KILLED - code

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._process is None:
            self._early.append(number)
        # A terminal has told the command too, when it told us.
        elif number not in _FROM_TERMINALS or not os.isatty(0):
            self._process.send_signal(number)
