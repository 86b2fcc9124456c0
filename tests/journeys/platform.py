"""The platform in a process of its own, and what the stories look at in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.journeys.client import seconds_until
from tests.running_issuer import RunningIssuer, clean_environment, free_port
from tests.vectors import PROJECT

_END_SECONDS = 10


@dataclass(frozen=True)
class RunningPlatform:
    url: str
    log: Path
    http: httpx.Client

    def ask(
        self, credential: str, method: str = "GET", path: str = "/app", json: object = None
    ) -> httpx.Response:
        """Whatever the answer to this Bearer is."""
        headers = {"Authorization": f"Bearer {credential}"}
        return self.http.request(method, path, headers=headers, json=json)

    def submit(self, credential: str, name: str, kind: str = "app", **labels: str) -> dict[str, str]:
        """A new resource; the labels that it got."""
        answer = self.ask(credential, "POST", f"/{kind}", {"name": name, "labels": labels})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        got: dict[str, str] = answer.json()["labels"]
        return got

    def status(self, credential: str, path: str) -> int:
        """Of a query of what is served there."""
        return self.ask(credential, "POST", f"{path}/query").status_code

    def until_refused(self, credential: str, path: str) -> None:
        """Waits until its verifier has heard of it."""
        seconds_until(lambda: self.status(credential, path) == httpx.codes.UNAUTHORIZED)


@contextmanager
def serve_platform(issuer: RunningIssuer, audience: str, folder: Path) -> Iterator[RunningPlatform]:
    port = free_port()
    url, log_file = f"http://127.0.0.1:{port}", folder / f"platform-{port}.log"
    command = [sys.executable, "-m", "tests.journeys.platform_service", issuer.url, audience, str(port)]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=clean_environment(), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(base_url=url, timeout=10) as http:
            running = RunningPlatform(url, log_file, http)
            seconds_until(lambda: _is_alive(running, process))
            yield running
    finally:
        process.terminate()
        process.wait(_END_SECONDS)


def _is_alive(platform: RunningPlatform, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, platform.log.read_text()
    with suppress(httpx.TransportError):
        return platform.http.get("/livez").is_success
    return False
