"""Jobs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program that runs as a role for a while."""

    id: str
    role: str
    name: str
    labels: dict[str, str]
    state: str
    created_at: str
    created_by: str
    ends_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob(Job):
    """A job just begun, with its ticket."""

    ticket: str = field(repr=False)
