"""A whole issuer to examine, and the ways to break it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from issuer.doctor import Finding, Level, examine
from issuer.settings import Settings
from issuer.setup import initialise
from tests.running_issuer import clean_environment, free_port

PASSWORD = "hidden"
"""Of every database URL."""
OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE


@dataclass
class World:
    """Data in a folder, settings in an environment; nothing runs."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, **settings: str) -> World:
        given = {"HOURMARKD_DATA_DIR": str(folder), "HOURMARKD_PORT": str(free_port())}
        world = cls(folder, given | settings)
        with world.environment():
            initialise(Settings(), "admin")
        return world

    @property
    def database(self) -> Path:
        return self.folder / "hourmark.db"

    @property
    def key(self) -> Path:
        return self.folder / "key-encryption-key"

    @contextmanager
    def environment(self, **settings: str) -> Iterator[None]:
        with patch.dict(os.environ, clean_environment(**self.settings | settings), clear=True):
            yield

    def examine(self, clock: Callable[[], float] = time.time, /, **settings: str) -> list[Finding]:
        """What is found; whatever it is, no secret is quoted and each trouble has its remedy."""
        with self.environment(**settings):
            found = list(examine(clock))
        keys = [
            settings.get("HOURMARKD_KEY_ENCRYPTION_KEY"),
            self.key.read_text() if self.key.exists() else "",
        ]
        secrets = [PASSWORD, *(key.strip() for key in keys if key)]
        for finding in found:
            assert not [secret for secret in secrets if secret in f"{finding.said}{finding.mend}"]
            assert (finding.mend is None) == (finding.level is OK)
        return found

    def trouble(
        self, clock: Callable[[], float] = time.time, /, **settings: str
    ) -> list[tuple[str, Level, str]]:
        """All that is not sound, but for what is always so while nothing runs."""
        usual = {("service", WARNING), ("status list", WARNING), ("signing keys", WARNING)}
        return [
            (finding.check, finding.level, f"{finding.said}; {finding.mend}")
            for finding in self.examine(clock, **settings)
            if finding.level is not OK and (finding.check, finding.level) not in usual
        ]

    def change(self, statement: str) -> None:
        """Raw SQL, behind the store's back."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute(statement)


def the(found: list[Finding], check: str) -> Finding:
    """The one finding of a check."""
    (finding,) = [finding for finding in found if finding.check == check]
    return finding
