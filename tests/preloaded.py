"""`hourmarkd` without the second that its imports take: forked from a process that has done them before.

That process does nothing else, and has the environment of the test session. What is forked from it is a
process like any other, with a session, an environment and a log of its own; it runs its command from the
first line to the exit code. Only the interpreter's own end is left out: it would copy all that is shared.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import IO, NoReturn

from tests.vectors import PROJECT

_MODULES = ("issuer.app", "issuer.serving", "issuer.setup", "alembic.command")
_REQUEST_BYTES = 65536
_WORD_BYTES = 32


class Preloaded:
    """A running `hourmarkd`, with as much of `subprocess.Popen` as tests ask of it."""

    def __init__(self, answers: socket.socket) -> None:
        self._answers = answers
        self.pid = int(answers.recv(_WORD_BYTES))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._answers.settimeout(timeout)
            try:
                self.returncode = int(self._answers.recv(_WORD_BYTES))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("hourmarkd", timeout or 0) from None
            self._answers.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Preloader:
    """Starts with what is asked of it first."""

    def __init__(self) -> None:
        self._environment = _without_settings(os.environ)
        self._control: socket.socket | None = None

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with this environment would have been imported the same."""
        return _without_settings(environment) == self._environment

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], stdout: IO[bytes], stderr: IO[bytes]
    ) -> Preloaded:
        """`hourmarkd` with these arguments, in an environment that suits."""
        if self._control is None:
            self._control = self._open()
        answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            request = json.dumps([arguments, environment]).encode()
            socket.send_fds(self._control, [request], [theirs.fileno(), stdout.fileno(), stderr.fileno()])
        return Preloaded(answers)

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._process.wait()

    def _open(self) -> socket.socket:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.preloaded", str(theirs.fileno())],
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the tests; it ends when they do
            )
        return control


_preloader: Preloader | None = None


@contextmanager
def preloading() -> Iterator[None]:
    """Has issuers that are started within the block forked, unless their environment differs from today's."""
    global _preloader  # noqa: PLW0603 - whoever starts an issuer is no fixture
    before, _preloader = _preloader, Preloader()
    try:
        yield
    finally:
        _preloader.close()
        _preloader = before


def preloader_for(environment: Mapping[str, str]) -> Preloader | None:
    """The one that suits, if there is one."""
    return _preloader if _preloader is not None and _preloader.suits(environment) else None


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    passed_over = ("HOURMARK", "COV", "PYTEST_CURRENT_TEST")
    return {name: value for name, value in environment.items() if not name.startswith(passed_over)}


def _serve(control: socket.socket) -> None:
    """Forks for each request, until nobody can ask any more."""
    for module in _MODULES:
        import_module(module)
    assert threading.active_count() == 1, "a thread does not live on in a fork"
    gc.collect()
    gc.freeze()  # so that no collection copies the pages that all share
    while True:
        request, files, _, _ = socket.recv_fds(control, _REQUEST_BYTES, 3)
        _forget_ended()
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _keep(socket.socket(fileno=files[0]), files[1:], *json.loads(request))
        for file in files:
            os.close(file)


def _forget_ended() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _keep(
    answers: socket.socket, streams: list[int], arguments: list[str], environment: dict[str, str]
) -> NoReturn:
    """Forks the program, tells its number, and in the end its exit code."""
    program = os.fork()
    if program == 0:
        answers.close()
        _run(streams, arguments, environment)
    for stream in streams:
        os.close(stream)
    answers.send(str(program).encode())
    _, status = os.waitpid(program, 0)
    with suppress(BrokenPipeError):  # the tests have ended first
        answers.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(streams: list[int], arguments: list[str], environment: dict[str, str]) -> NoReturn:
    from issuer.cli import main

    os.setsid()  # so that a signal can reach all of its processes, and no others
    for stream, number in zip(streams, (sys.stdout.fileno(), sys.stderr.fileno()), strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["hourmarkd", *arguments]
    code: object = 1
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - what the interpreter does with it
        traceback.print_exc()
    for written in (sys.stdout, sys.stderr):
        written.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
