"""The command `hourmark`."""

from holder.cli.main import main

__all__ = ["main"]
