"""What the command line says of a job."""

from __future__ import annotations

from tests.journeys.terminal import Terminal


def state(terminal: Terminal, job: str) -> str:
    return terminal(f"hourmark job get {job} --field state").strip()
