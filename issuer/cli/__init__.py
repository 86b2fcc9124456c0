"""The command `hourmarkd`."""

from issuer.cli.main import main

__all__ = ["main"]
