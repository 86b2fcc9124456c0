"""What stands in an operator's way."""

from __future__ import annotations


class Obstacle(Exception):
    """What it is and why, and the command or setting that mends it. Neither ever quotes a secret."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}: {mend}")
        self.what = what
        self.mend = mend
