"""The status list: whether verifiers have a fresh one, and whether it has room."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from issuer import rfc3339
from issuer.doctor.finding import Finding, failure, ok, warning
from issuer.settings import Settings
from issuer.store import status_indices
from issuer.store.database import Database
from verifier.status_list import ENTRIES

_LIST, _ROOM = "status list", "status list's room"
_SETTLING = 1.0
"""Seconds within which a running service signs a new version."""
_LATE = 60
"""Seconds behind half of the list's life by which a running service has certainly signed it again."""
_FULL, _CROWDED = 0.95, 0.8
_SERVE = "run `hourmarkd serve`, which signs it"


@dataclass(frozen=True, slots=True)
class Stored:
    """The list as the database has it. Times are Unix seconds."""

    version: int
    signed_version: int
    signed_at: int
    size: int
    """Bytes of the signed document."""


def check(settings: Settings, database: Database, now: int) -> Iterator[Finding]:
    stored = read(database)
    if stored.signed_version < stored.version:
        time.sleep(_SETTLING)
        stored = read(database)
    yield freshness(stored, now, settings.status_exp)
    with database.read() as session:
        yield room(status_indices.count_in_use(session, now))


def read(database: Database) -> Stored:
    with database.read() as session:
        row = status_indices.current_version(session)
        return Stored(row.version, row.signed_version, row.signed_at, len(row.document))


def freshness(stored: Stored, now: int, lifetime: int) -> Finding:
    """lifetime: seconds from a list's signature to its end."""
    if stored.signed_version == 0:
        return warning(_LIST, "nobody has signed it yet", _SERVE)
    if stored.signed_version < stored.version:
        said = f"version {stored.version} is not signed: what it revokes, verifiers accept"
        return failure(_LIST, said, _SERVE)
    ends = stored.signed_at + lifetime
    said = f"version {stored.version} ({stored.size} bytes) was signed at {rfc3339.write(stored.signed_at)}"
    if now >= ends:
        said += f" and ended at {rfc3339.write(ends)}: verifiers refuse every token (revocation_stale)"
        return failure(_LIST, said, _SERVE)
    if now > stored.signed_at + lifetime // 2 + _LATE:
        said += f" and not again at half of its life: no service runs, and it ends at {rfc3339.write(ends)}"
        return warning(_LIST, said, _SERVE)
    return ok(_LIST, said)


def room(in_use: int) -> Finding:
    """in_use: indices that nobody else can be given now."""
    said = f"{in_use} of {ENTRIES} indices are in use"
    mend = "delete role keys that nobody uses: `hourmark role key list` says when each was last exchanged"
    if in_use >= _FULL * ENTRIES:
        return failure(_ROOM, said, mend)
    return warning(_ROOM, said, mend) if in_use >= _CROWDED * ENTRIES else ok(_ROOM, said)
