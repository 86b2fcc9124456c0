"""One thing that is wrong with a trust policy: what it says, why that is bad, what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["danger", "doubt"]
"""A danger is never made; a doubt is, and stays in view."""


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    clause: str
    why: str
    instead: str
