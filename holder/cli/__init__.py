"""The command `hourmark`."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line, the process's own if none is given; returns the exit code."""
    try:
        # Loading takes longer than anything that needs no issuer: Ctrl-C may well come in the middle of it.
        from holder.cli import program

        return program.run(arguments)
    except KeyboardInterrupt:
        return 130
