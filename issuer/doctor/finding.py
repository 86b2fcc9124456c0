"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from issuer.obstacle import Obstacle


class Level(StrEnum):
    """How bad it is. A failure costs tokens, revocations or secrets; a warning will, or may."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing, and the command or setting that mends it. Neither quotes a secret."""

    check: str
    level: Level
    said: str
    mend: str | None = None


def ok(check: str, said: str) -> Finding:
    return Finding(check, Level.OK, said)


def warning(check: str, said: str, mend: str) -> Finding:
    return Finding(check, Level.WARNING, said, mend)


def failure(check: str, said: str, mend: str) -> Finding:
    return Finding(check, Level.FAILURE, said, mend)


def of_obstacle(check: str, obstacle: Obstacle) -> Finding:
    return failure(check, obstacle.what, obstacle.mend)
