"""The log of changes, by which other processes learn what they must look at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session, col, delete, func, select

from issuer.store.database import Transaction
from issuer.store.tables import Change

_KEPT = 10_000
QUERY = "SELECT number, kind, ref FROM change WHERE number > {} ORDER BY number"


@dataclass(frozen=True, slots=True)
class Changed:
    """`ref` of this kind must be looked at again. `kind` is None when all of it must."""

    number: int
    kind: str | None
    ref: str


class ChangeFeed(Protocol):
    """Where a process reads what others changed."""

    async def wait(self) -> None:
        """Returns when there may be something to read, at the latest after half a second."""

    async def read(self, after: int) -> list[Changed]:
        """The changes behind number `after`, in the order of their commits. Raises StoreUnavailable."""

    async def close(self) -> None: ...


def last_number(session: Session) -> int:
    return session.exec(select(func.max(Change.number))).one() or 0


def prune(tx: Transaction) -> None:
    """Forgets what every process has read long ago."""
    oldest = last_number(tx.session) - _KEPT
    tx.session.execute(delete(Change).where(col(Change.number) <= oldest))


def in_order(rows: list[tuple[int, str, str]], after: int) -> list[Changed]:
    """What the rows behind number `after` say."""
    changes = [Changed(*row) for row in rows]
    if changes and changes[0].number > after + 1:
        # What lies between was pruned: nobody can tell any more what changed, so everything may have.
        return [Changed(changes[-1].number, None, "")]
    return changes
