"""Libraries of others over the same tokens, in processes of their own that time their own raw check too."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from scripts.benchmarks import installed, tokens
from scripts.benchmarks.measure import CannotMeasure, Extent, Round

COLUMNS = {
    "joserfc": "raw in peers",
    "Authlib": "raw in peers",
    "jose": "raw in node",
    "fast-jwt": "raw in node",
}
"""Each library, and the bare signature check of its process that it is held against."""


class PeerVerifiers:
    """A context manager: one process that has the Python libraries, one that has the JavaScript ones."""

    def __init__(self, extent: Extent) -> None:
        commands = []
        if extent.peers:
            python, node = installed.python_peers(), installed.node_peers()
            commands = [
                [str(python), "-m", "scripts.benchmarks.peers.python_verifiers"],
                [node, str(installed.PEERS / "verifiers.mjs")],
            ]
        self._commands = commands
        self._processes: list[subprocess.Popen[str]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for command in self._commands:
            process = subprocess.Popen(
                command,
                cwd=installed.PROJECT,
                env=os.environ | {"NODE_ENV": "production"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            # Leaving the process's context closes its input, at which it ends.
            self._processes.append(self._open.enter_context(process))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def microseconds(self, algorithm: str, minted: list[str]) -> Round:
        """What a token costs each library, one library after the other."""
        asked = {
            "algorithm": algorithm,
            "jwk": tokens.signing_key(algorithm).public_jwk,
            "issuer": tokens.ISSUER,
            "audience": tokens.AUDIENCE,
            "tokens": minted,
        }
        seen: Round = {}
        for process in self._processes:
            for name, cost in _ask(process, json.dumps(asked)).items():
                seen[f"{name} {algorithm} µs"] = cost
        return seen


def _ask(process: subprocess.Popen[str], line: str) -> Round:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise CannotMeasure("a peer that verifies has ended; what it said stands above")
    return dict(json.loads(answer))
