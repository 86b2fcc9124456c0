"""Our own issuer as a benchmark has it: `hourmarkd serve` on SQLite, and a role key of a role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from scripts.benchmarks import servers

HOURMARKD = Path(sys.executable).with_name("hourmarkd")
ROLE = "org.account.ci"
PERMISSION = "data:get@urn:hourmark:data:org.account.workspace"


@dataclass(frozen=True, slots=True)
class Initialised:
    """An issuer with its data, not running yet."""

    folder: Path
    url: str
    admin: tuple[str, str] = field(repr=False)

    @property
    def settings(self) -> dict[str, str]:
        return _settings(self.folder, self.url)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A running one."""

    url: str
    pid: int
    key: tuple[str, str] = field(repr=False)
    """Access and secret of a role key of ROLE, which holds PERMISSION."""

    @property
    def token_url(self) -> str:
        return f"{self.url}/v1/token"


def initialise(folder: Path) -> Initialised:
    """A new database in `folder`, which must exist."""
    url = f"http://127.0.0.1:{servers.free_port()}"
    done = subprocess.run(
        [HOURMARKD, "init", "--admin", "admin", "--output", "json"],
        env=os.environ | _settings(folder, url),
        check=True,
        capture_output=True,
    )
    made = json.loads(done.stdout)
    return Initialised(folder, url, (made["access"], made["secret"]))


def serve_command(workers: int = 1) -> list[str | Path]:
    return [HOURMARKD, "serve", "--workers", str(workers)]


@contextmanager
def issuing(initialised: Initialised, *, workers: int = 1) -> Iterator[Issuer]:
    """Runs it until the end of the block; every worker has answered before."""
    url, log = initialised.url, initialised.folder / "serve.log"
    with servers.serving(serve_command(workers), f"{url}/readyz", log, **initialised.settings) as process:
        yield Issuer(url, process.pid, _role_key(initialised))


def _role_key(initialised: Initialised) -> tuple[str, str]:
    bearer = {"Authorization": f"Bearer {':'.join(initialised.admin)}"}
    with httpx.Client(base_url=initialised.url, headers=bearer, timeout=30) as http:
        http.post("/v1/roles", json={"name": ROLE}).raise_for_status()
        policy = {"permission": PERMISSION}
        http.post(f"/v1/roles/{ROLE}/policies", json=policy).raise_for_status()
        made = http.post(f"/v1/roles/{ROLE}/keys", json={}).raise_for_status().json()
    return made["access"], made["secret"]


def _settings(folder: Path, url: str) -> dict[str, str]:
    return {
        "HOURMARKD_DATA_DIR": str(folder / "data"),
        "HOURMARKD_ISSUER": url,
        "HOURMARKD_PORT": url.rpartition(":")[2],
    }
