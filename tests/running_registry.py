"""A real docker registry for tests, with the files that `hourmarkd export registry` writes for it.

Version 2 is Debian's package. No package has version 3, and building it takes minutes. Where it was built,
all stories are told with it, too; `go install` puts it into `$(go env GOPATH)/bin`:

    go install github.com/distribution/distribution/v3/cmd/registry@v3.1.1
    HOURMARK_TEST_DISTRIBUTION_3=PATH/TO/registry scripts/test tests/journeys/registry
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest
import yaml

from tests.running_issuer import BIN, RunningIssuer, clean_environment, free_port

DEBIANS = "docker-registry"
"""Version 2.8."""
PROGRAMS = {"2": DEBIANS}
"""By major version."""
if version_3 := os.environ.get("HOURMARK_TEST_DISTRIBUTION_3"):
    PROGRAMS["3"] = version_3
START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass
class RunningRegistry:
    """One registry on a loopback port. `stop()` or leaving the context ends it."""

    service: str
    """What it calls itself; the `aud` of its tokens."""
    address: str
    """host:port."""
    folder: Path
    program: str
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def ask(self, path: str, token: str | None = None, method: str = "GET") -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=10)

    def accepts(self, token: str) -> bool:
        """Whether it takes the token for one of its own, whatever that permits."""
        status = self.ask("/v2/", token).status_code
        assert status in (200, 401), status
        return status == httpx.codes.OK

    def restart(self) -> RunningRegistry:
        """On the same port, with its files as they are by now."""
        self.stop()
        return _serve(self.service, self.address, self.folder, self.program)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_registry(
    folder: Path, issuer: RunningIssuer, service: str, program: str = DEBIANS
) -> RunningRegistry:
    """With its data and its files in `folder`."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: install Debian's package")
    export(folder, issuer, service)
    return _serve(service, f"127.0.0.1:{free_port()}", folder, program)


def export(folder: Path, issuer: RunningIssuer, service: str) -> None:
    """Writes what the registry trusts, as it is by now."""
    command = ("hourmarkd", "export", "registry", "--service", service, "--output", str(folder / "trust"))
    subprocess.run(
        [BIN / command[0], *command[1:]],
        env=clean_environment(**issuer.settings),
        check=True,
        capture_output=True,
    )


def _serve(service: str, address: str, folder: Path, program: str) -> RunningRegistry:
    settings = {
        "version": 0.1,
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": address, "secret": "of the tests"},
        **yaml.safe_load((folder / "trust" / "config.yml").read_text()),
    }
    config = folder / "registry.yml"
    config.write_text(yaml.safe_dump(settings))
    with (folder / "registry.log").open("ab") as log:
        process = subprocess.Popen(
            [program, "serve", config],
            stdout=log,
            stderr=log,
            env=clean_environment(OTEL_TRACES_EXPORTER="none"),
        )
    registry = RunningRegistry(service, address, folder, program, process)
    try:
        _wait_until_ready(registry)
    except BaseException:
        registry.stop()
        raise
    return registry


def _wait_until_ready(registry: RunningRegistry) -> None:
    deadline = time.monotonic() + START_SECONDS
    while registry.process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if registry.ask("/v2/").status_code == httpx.codes.UNAUTHORIZED:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the registry did not start:\n{(registry.folder / 'registry.log').read_text()}")
