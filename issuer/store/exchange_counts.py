"""How often role keys were exchanged in each of the last hours: counters in batches, outside the logs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, col, delete, select, update

from issuer.store.tables import ExchangeCount, RoleKeyRow

HOURS = 48
"""So many are kept, and shown."""
_SECONDS = HOURS * 3600


def add(session: Session, counts: Mapping[tuple[str, int], int]) -> None:
    """In a writing transaction. A role key that is gone by now has no counters."""
    for (access, hour), number in sorted(counts.items()):
        is_this = (col(ExchangeCount.access) == access, col(ExchangeCount.hour) == hour)
        added = session.execute(
            update(ExchangeCount).where(*is_this).values(number=ExchangeCount.number + number)
        )
        if not added.rowcount and session.get(RoleKeyRow, access) is not None:  # type: ignore[attr-defined]
            session.add(ExchangeCount(access=access, hour=hour, number=number))
            session.flush()


def of(session: Session, access: str, now: int) -> dict[int, int]:
    """By the Unix second at which each hour began; hours without any are not there."""
    rows = session.exec(
        select(ExchangeCount).where(ExchangeCount.access == access, ExchangeCount.hour > now - _SECONDS)
    )
    return {row.hour: row.number for row in rows}


def has_old(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    old = select(ExchangeCount.hour).where(col(ExchangeCount.hour) <= now - _SECONDS).limit(1)
    return session.exec(old).first() is not None


def forget_old(session: Session, now: int) -> None:
    session.execute(delete(ExchangeCount).where(col(ExchangeCount.hour) <= now - _SECONDS))
