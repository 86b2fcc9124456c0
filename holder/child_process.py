"""Runs a command in our place: signals are the command's, and its exit code is ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from holder.errors import HolderError

_FROM_TERMINALS = (signal.SIGINT, signal.SIGQUIT)
"""What a terminal sends to all that runs in its foreground."""
_OF_THE_COMMAND = (*_FROM_TERMINALS, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_SI_KERNEL = 0x80
"""Who sends those of a terminal; whoever calls kill(2) is somebody else (sigaction(2))."""
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

    One that comes before the command runs is the reason not to run it; one that comes after it is late. They
    are blocked, in all threads that begin within the block too, and taken one by one, as only so it is seen
    who sent them.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._heard: list[int] = []

    def __enter__(self) -> Self:
        # What is ignored stays ignored, by the command too: nohup means it.
        passed_on = [number for number in _OF_THE_COMMAND if signal.getsignal(number) != signal.SIG_IGN]
        self._waited_for = {*passed_on, signal.SIGCHLD}
        self._blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, self._waited_for)
        self._handlers = {
            number: signal.signal(number, lambda number, _: self._heard.append(number))
            for number in passed_on
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked_before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def run(self, environ: Mapping[str, str], *inherited: int) -> int:
        """The exit code, as a shell has it. Raises NotStarted.

        inherited: file descriptors that the command keeps open.
        """
        # What is blocked here is blocked in the command, which knows nothing of that.
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked_before)
        try:
            if self._heard:
                return _KILLED + self._heard[0]
            process = subprocess.Popen(self._command, env=environ, pass_fds=inherited)  # noqa: S603 - asked for
        except OSError as error:
            raise NotStarted(self._command[0], error) from None
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, self._waited_for)
        for number in self._heard:  # while it was being started
            process.send_signal(number)
        return self._wait(process)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while (code := process.poll()) is None:
            number, is_from_terminal = _next(self._waited_for)
            # A terminal has told the command too, when it told us.
            if number != signal.SIGCHLD and not is_from_terminal:
                process.send_signal(number)
        return code if code >= 0 else _KILLED - code


def _next(waited_for: Collection[int]) -> tuple[int, bool]:
    """The next signal, and whether a terminal sent it to all that runs in its foreground."""
    if sys.platform == "darwin":  # it does not say who sent it
        number = signal.sigwait(waited_for)
        return number, number in _FROM_TERMINALS and _is_in_foreground()
    told = signal.sigwaitinfo(waited_for)
    return told.si_signo, told.si_signo in _FROM_TERMINALS and told.si_code == _SI_KERNEL


def _is_in_foreground() -> bool:
    try:
        with Path(os.ctermid()).open() as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:  # there is none
        return False
