"""Files that nobody else may read, and the room that they have."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from issuer.doctor.finding import Finding, failure, ok, warning
from issuer.setting_values import is_loopback
from issuer.settings import Settings

_MIB = 1024 * 1024
_LEAST_FREE = 100 * _MIB
"""Below this the next writes may fail."""
_ENOUGH_FREE = 1024 * _MIB
_KEY, _DATABASE = "key-encryption key", "database file"


def check(settings: Settings) -> Iterator[Finding]:
    """The key-encryption key's file, and SQLite's."""
    database = _sqlite_file(settings)
    if settings.key_encryption_key is not None:
        yield ok(_KEY, "it is given by HOURMARKD_KEY_ENCRYPTION_KEY")
    elif (path := settings.resolved_key_encryption_key_file).exists():
        yield permissions(_KEY, path, path.stat().st_mode)
        folders = {settings.data_dir.resolve(), *([database.resolve().parent] if database else [])}
        yield beside(path, folders, settings)
    if database is not None and database.exists():
        for path in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
            if path.exists():
                yield permissions(_DATABASE, path, path.stat().st_mode)
        yield free_space(database, shutil.disk_usage(database.parent).free, database.stat().st_size)


def permissions(check_name: str, path: Path, mode: int) -> Finding:
    """For everybody it is a failure; a group may be the service's own, as with mounted secrets."""
    shown, mend = f"{path} ({stat.filemode(mode)})", f"chmod 600 {path}"
    if mode & stat.S_IRWXO or mode & stat.S_IWGRP:
        return failure(check_name, f"{shown} is open to others than its owner", mend)
    if mode & stat.S_IRWXG:
        return warning(check_name, f"{shown} is open to its group", mend)
    return ok(check_name, f"{shown} is open to its owner alone")


def beside(key: Path, data: set[Path], settings: Settings) -> Finding:
    """Whether one copy of a folder holds both the sealed keys and what opens them."""
    if key.resolve().parent not in data:
        return ok(_KEY, f"{key} is kept apart from the data")
    said = f"{key} lies beside the data that it protects: a copy of the folder holds both"
    mend = "move it elsewhere and name it with HOURMARKD_KEY_ENCRYPTION_KEY_FILE"
    if not is_loopback(settings.host):
        return failure(_KEY, said, mend)
    if settings.issuer_url.startswith("https://"):
        return warning(_KEY, said, mend)
    return ok(_KEY, f"{key} lies beside the data, which does on one's own machine")


def free_space(database: Path, free: int, size: int) -> Finding:
    """free, size: bytes on the disk, and of the database, which an upgrade may copy once."""
    said = f"{free // _MIB} MiB are free for {database}, which has {size // _MIB} MiB"
    mend = f"make room on the disk of {database.parent}, or move HOURMARKD_DATA_DIR"
    if free < _LEAST_FREE:
        return failure("disk", said, mend)
    return warning("disk", said, mend) if free < max(_ENOUGH_FREE, size) else ok("disk", said)


def _sqlite_file(settings: Settings) -> Path | None:
    url = make_url(settings.resolved_database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
