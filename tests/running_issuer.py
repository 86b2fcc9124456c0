"""A real issuer for tests: `hourmarkd` in processes of its own, on a free loopback port.

`start_issuer` forks it, so that not every test pays for its imports (tests/preloaded.py).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

import httpx

from tests.preloaded import Preloaded, preloader_for
from tests.recorded import is_recorded

Process = subprocess.Popen[bytes] | Preloaded

BIN = Path(sys.executable).parent
START_SECONDS = 60.0
STOP_SECONDS = 10.0


def clean_environment(**given: str) -> dict[str, str]:
    """The environment of the tests without any setting of Hourmark, and with those `given`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOURMARK", "COV"))}
    return kept | given


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class RunningIssuer:
    """One `hourmarkd serve`: a host, with one process or several. `stop()` or leaving the context ends it."""

    url: str
    admin_key: str = field(repr=False)
    """The first user's role key, `access:secret`."""
    settings: dict[str, str] = field(repr=False)
    log: Path
    process: Process = field(repr=False)
    """The one that was started: with several workers, it only watches over them."""
    workers: int = 1
    forked: bool = True

    def http(self, credential: str | None = None) -> httpx.Client:
        """A client of this issuer's API, as admin unless another credential is given ("" for none)."""
        credential = self.admin_key if credential is None else credential
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10)

    def another(self, workers: int = 1, /, **settings: str) -> RunningIssuer:
        """A second host beside this one, with nothing shared but the database and the settings."""
        given = self.settings | {"HOURMARKD_PORT": str(free_port())} | settings
        return _serve(given, self.admin_key, self.log.parent, workers, forked=self.forked)

    def restart(self) -> RunningIssuer:
        """Ends the process and starts it again on the same port with the same settings."""
        self.stop()
        return _serve(self.settings, self.admin_key, self.log.parent, self.workers, forked=self.forked)

    def lines(self) -> list[dict[str, object]]:
        """What it logged so far, a JSON object a line."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGKILL takes the workers along, as the end of a machine does; they are told nothing of it."""
        if self.process.poll() is None:
            if how is signal.SIGKILL:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how)
            self.process.wait(STOP_SECONDS)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The whole host stands still until the end of the block, as a paused machine does."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start_issuer(folder: Path, workers: int = 1, /, **settings: str) -> RunningIssuer:
    """Initialises an issuer with its data in `folder`, and serves it; `settings` by their full names."""
    return _begin(folder, workers, settings, forked=True)


def start_program(folder: Path, workers: int = 1, /, **settings: str) -> RunningIssuer:
    """The same from the first import on, as operators start it: for what is about the start itself."""
    return _begin(folder, workers, settings, forked=False)


def _begin(folder: Path, workers: int, settings: dict[str, str], *, forked: bool) -> RunningIssuer:
    port = str(free_port())
    # The issuer's URL stays that of the first process, whichever others serve it too.
    given = {
        "HOURMARKD_DATA_DIR": str(folder / "data"),
        "HOURMARKD_PORT": port,
        "HOURMARKD_ISSUER": f"http://127.0.0.1:{port}",
    } | settings
    first = _init(given, forked=forked)
    return _serve(given, f"{first['access']}:{first['secret']}", folder, workers, forked=forked)


def _init(settings: dict[str, str], *, forked: bool) -> dict[str, str]:
    with TemporaryFile() as out, TemporaryFile() as err:
        arguments = ["init", "--admin", "admin", "-o", "json"]
        code = _start(arguments, settings, out, err, forked=forked).wait()
        for stream in (out, err):
            stream.seek(0)
        assert code == 0, err.read().decode()
        return dict(json.load(out))


def _serve(
    settings: dict[str, str], admin_key: str, folder: Path, workers: int, *, forked: bool
) -> RunningIssuer:
    log = folder / f"serve-{settings['HOURMARKD_PORT']}.log"
    with log.open("ab") as stderr, open(os.devnull, "wb") as stdout:  # noqa: PTH123 - no path, a device
        arguments = ["serve", "--workers", str(workers)]
        # Workers are programs of their own, whatever started them.
        process = _start(arguments, settings, stdout, stderr, forked=forked and workers == 1)
    issuer = RunningIssuer(
        f"http://127.0.0.1:{settings['HOURMARKD_PORT']}", admin_key, settings, log, process, workers, forked
    )
    try:
        _wait_until_ready(issuer)
    except BaseException:
        issuer.stop(signal.SIGKILL)
        raise
    return issuer


def _start(
    arguments: list[str], settings: dict[str, str], stdout: IO[bytes], stderr: IO[bytes], *, forked: bool
) -> Process:
    environment = clean_environment(**settings)
    preloader = preloader_for(environment) if forked else None
    if preloader is not None:
        return preloader.start(arguments, environment, stdout, stderr)
    return subprocess.Popen(
        [BIN / "hourmarkd", *arguments],
        env=environment,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # so that a signal can reach all of its processes, and no others
    )


def _wait_until_ready(issuer: RunningIssuer) -> None:
    deadline = time.monotonic() + START_SECONDS
    with issuer.http("") as client:
        while issuer.process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = client.get("/readyz")
                if answer.status_code == httpx.codes.OK:
                    assert is_recorded(answer.headers["X-Request-Id"]), "nobody compares what it answers"
                    return
            time.sleep(0.02)
    raise RuntimeError(f"the issuer did not start:\n{issuer.log.read_text()}")
