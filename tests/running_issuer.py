"""A real issuer for tests: `hourmarkd` in processes of its own, on a free loopback port."""

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
from types import TracebackType
from typing import Self

import httpx

from tests.recorded import is_recorded

BIN = Path(sys.executable).parent
START_SECONDS = 20.0
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
    process: subprocess.Popen[bytes] = field(repr=False)
    """The one that was started: with several workers, it only watches over them."""
    workers: int = 1

    def http(self, credential: str | None = None) -> httpx.Client:
        """A client of this issuer's API, as admin unless another credential is given ("" for none)."""
        credential = self.admin_key if credential is None else credential
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10)

    def another(self, workers: int = 1, /, **settings: str) -> RunningIssuer:
        """A second host beside this one, with nothing shared but the database and the settings."""
        given = self.settings | {"HOURMARKD_PORT": str(free_port())} | settings
        return _serve(given, self.admin_key, self.log.parent, workers)

    def restart(self) -> RunningIssuer:
        """Ends the process and starts it again on the same port with the same settings."""
        self.stop()
        return _serve(self.settings, self.admin_key, self.log.parent, self.workers)

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
    port = str(free_port())
    # The issuer's URL stays that of the first process, whichever others serve it too.
    given = {
        "HOURMARKD_DATA_DIR": str(folder / "data"),
        "HOURMARKD_PORT": port,
        "HOURMARKD_ISSUER": f"http://127.0.0.1:{port}",
    } | settings
    made = _init(given)
    assert made.returncode == 0, made.stderr.decode()
    first = json.loads(made.stdout)
    return _serve(given, f"{first['access']}:{first['secret']}", folder, workers)


def _init(settings: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [BIN / "hourmarkd", "init", "--admin", "admin", "-o", "json"],
        env=clean_environment(**settings),
        check=False,
        capture_output=True,
    )


def _serve(settings: dict[str, str], admin_key: str, folder: Path, workers: int) -> RunningIssuer:
    log = folder / f"serve-{settings['HOURMARKD_PORT']}.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [BIN / "hourmarkd", "serve", "--workers", str(workers)],
            env=clean_environment(**settings),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,  # so that a signal can reach all of its processes, and no others
        )
    issuer = RunningIssuer(
        f"http://127.0.0.1:{settings['HOURMARKD_PORT']}", admin_key, settings, log, process, workers
    )
    try:
        _wait_until_ready(issuer)
    except BaseException:
        issuer.stop(signal.SIGKILL)
        raise
    return issuer


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
