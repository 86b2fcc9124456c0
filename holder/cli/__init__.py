"""The command `hourmark`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

_NOT_NEEDED = "httpx._main"
"""httpx's own command line, which it loads wherever all that draws it is installed."""
_MANY = 100_000
"""Objects before the first look for garbage: more than loading makes, since all of those stay."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line, the process's own if none is given; returns the exit code."""
    try:
        sys.modules.setdefault(_NOT_NEEDED, None)  # type: ignore[arg-type]  # as the import system has it
        gc.set_threshold(_MANY)
        # Loading takes longer than anything that needs no issuer: Ctrl-C may well come in the middle of it.
        from holder.cli import program

        return program.run(arguments)
    except KeyboardInterrupt:
        return 130
