"""A folder that nobody else can enter, for as long as somebody needs what is in it.

Its lock is held by whoever made it and by every process that was given it. Killed, they clear nothing away:
the next one who makes such a folder does, wherever the lock is free.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PREFIX, _LOCK = "hourmark-run-", "hourmark.lock"
"""Such as nobody else gives to a folder that must not be cleared away."""


@dataclass(frozen=True, slots=True)
class PrivateFolder:
    """One that is there."""

    path: Path
    lock: int
    """A file descriptor: a process that inherits it keeps the folder in use."""


@contextmanager
def private_folder() -> Iterator[PrivateFolder]:
    """Until the end of the block. Raises OSError."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        # Nobody sees the lock before it is held.
        unseen = folder / f".{_LOCK}"
        lock = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            unseen.rename(folder / _LOCK)
            yield PrivateFolder(folder, lock)
        finally:
            os.close(lock)


def _sweep(place: Path) -> None:
    """Folders of this user's that nobody needs any more."""
    for lock in place.glob(f"{_PREFIX}*/{_LOCK}"):
        # Others may write here too: what is no folder of ours is left alone.
        with suppress(OSError):
            if lock.parent.lstat().st_uid != os.getuid():
                continue
            descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent)
            finally:
                os.close(descriptor)
