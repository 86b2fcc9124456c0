"""The load: wrk, 32 connections that each ask again as soon as they are answered."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks import installed
from scripts.benchmarks.measure import CannotMeasure

_CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the load saw."""

    per_second: float
    p50: float
    """Milliseconds, like p99."""
    p99: float


def write_credentials(path: Path, keys: Iterable[tuple[str, str]]) -> Path:
    """Whom the load asks as, one after the other. A file, since a command line is no place for secrets."""
    path.touch(mode=0o600)
    lines = [base64.b64encode(f"{user}:{password}".encode()).decode() for user, password in keys]
    path.write_text("".join(f"Basic {line}\n" for line in lines))
    return path


def load(url: str, credentials: Path, seconds: int, *, closes: bool = False) -> Answered:
    """Asks for tokens with client_credentials; with `closes`, each over a connection of its own.

    Raises CannotMeasure if anything but good answers came: how fast a server refuses is not the question.
    """
    command = [installed.wrk(), "--threads", "1", "--connections", str(_CONNECTIONS)]
    command += ["--duration", f"{seconds}s", "--timeout", "10s", "--script", str(_SCRIPT), url]
    done = subprocess.run(
        [*command, "--", str(credentials), "close" if closes else "keep-alive"],
        check=True,
        capture_output=True,
        text=True,
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    if seen["refused"] or seen["broken"] or not seen["answered"]:
        raise CannotMeasure(
            f"{url} gave {seen['answered']} answers, of which {seen['refused']} were refusals, and "
            f"{seen['broken']} connections broke: look whether it serves what is asked for"
        )
    return Answered(seen["answered"] / seen["seconds"], seen["p50"], seen["p99"])
