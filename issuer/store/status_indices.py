"""The indices of the status list: given out, set, cleared, used again.

An index is cleared once every token that carried it has expired, and given out again once every list that
had it set has expired too. So nobody's token is ever refused, or cleared, on account of somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, or_, select, update

from issuer.store.database import Transaction
from issuer.store.tables import StatusIndex, StatusListVersion
from verifier.status_list import ENTRIES

LIST_ID = 1
MAX_TOKEN_SECONDS = 3600
MAX_LATE_SECONDS = 3600
"""How long a process may issue without knowing of a revocation: the greatest HOURMARKD_OUTAGE_ALLOWANCE."""
MARGIN = 300
"""Seconds for verifiers' leeway and for clocks."""
_CARRIED_SECONDS = MAX_TOKEN_SECONDS + MAX_LATE_SECONDS + MARGIN
"""How long, once its owner has lost it, an index may still be in a live token."""


class StatusListFull(Exception):
    """Every index is in use or still remembered."""


class Ended(Exception):
    """The credential that asks for a change was renewed, narrowed, revoked or deleted a moment ago."""


def allocate(tx: Transaction, owner: str, *, parent: int | None = None) -> int:
    """An index that no live token and no live list knows. Raises StatusListFull.

    parent: of a token that the owner does not outlive; whatever sets that index sets this one.
    """
    free = tx.session.exec(
        select(StatusIndex)
        .where(col(StatusIndex.dead_from) <= tx.now, col(StatusIndex.is_set).is_(False))
        .order_by(col(StatusIndex.dead_from))
        .limit(1)
    ).first()
    if free is not None:
        free.owner, free.parent, free.set_from, free.dead_from = owner, parent, None, None
        tx.session.add(free)
        return free.index
    index = tx.session.exec(select(func.coalesce(func.max(StatusIndex.index), -1))).one() + 1
    if index >= ENTRIES:
        raise StatusListFull("the status list is full: delete role keys that nobody uses")
    tx.session.add(StatusIndex(index=index, owner=owner, parent=parent))
    tx.session.flush()
    return index


def expire(tx: Transaction, index: int, owner: str, at: int) -> None:
    """No token of its owner outlives `at`: it is used again afterwards, without ever being set."""
    _plan(tx, index, owner, dead_from=at + MARGIN)


def revoke_from(tx: Transaction, index: int, owner: str, at: int) -> None:
    """Has it set at `at`: tokens that were issued before this was known would outlive it."""
    _plan(tx, index, owner, set_from=at)


def revoke(tx: Transaction, owned: Iterable[tuple[int, str]]) -> None:
    """Sets those (index, owner): every token that carries one is refused from the list's next version on."""
    newly_set = sum(
        _set(tx, and_(col(StatusIndex.index) == index, col(StatusIndex.owner) == owner))
        for index, owner in owned
    )
    if newly_set:
        raise_version(tx)


def require_in_force(session: Session, index: int, now: int) -> None:
    """Raises Ended unless the owner of the index still issues tokens with it.

    Good for indices of live credentials alone: one that was set is cleared when none can be alive.
    """
    row = session.get(StatusIndex, index)
    if (
        row is None
        or row.is_set
        or (row.set_from is not None and row.set_from <= now)
        or (row.dead_from is not None and row.dead_from <= now + MARGIN)
    ):
        raise Ended("the credential ended while the request was under way")


def advance(tx: Transaction, *, list_lifetime: int) -> None:
    """Sets what is to be set by now, and clears what no token carries any more.

    What is cleared rests until every list that had it set has expired.
    """
    newly_set = _set(tx, col(StatusIndex.set_from) <= tx.now)
    cleared = tx.session.exec(
        update(StatusIndex)
        .where(col(StatusIndex.is_set).is_(True), col(StatusIndex.dead_from) <= tx.now)
        .values(is_set=False, dead_from=tx.now + list_lifetime + MARGIN)
    ).rowcount
    if newly_set or cleared:
        raise_version(tx)


def is_due(session: Session, now: int) -> bool:
    """Whether `advance` would find anything."""
    to_set = col(StatusIndex.set_from) <= now
    to_clear = and_(col(StatusIndex.is_set).is_(True), col(StatusIndex.dead_from) <= now)
    return session.exec(select(StatusIndex.index).where(or_(to_set, to_clear)).limit(1)).first() is not None


def raise_version(tx: Transaction) -> None:
    """The list has a new version: to be signed once, by whoever comes first."""
    tx.session.execute(update(StatusListVersion).values(version=StatusListVersion.version + 1))
    tx.changed("status_list", str(LIST_ID))


def count_in_use(session: Session, now: int) -> int:
    """How many indices nobody else can be given now."""
    is_free = and_(col(StatusIndex.dead_from) <= now, col(StatusIndex.is_set).is_(False))
    total, free = (select(func.count()).select_from(StatusIndex), select(func.count()).where(is_free))
    return session.exec(total).one() - session.exec(free).one()


def set_indices(session: Session) -> list[int]:
    return list(session.exec(select(StatusIndex.index).where(col(StatusIndex.is_set).is_(True))))


def current_version(session: Session) -> StatusListVersion:
    return session.exec(select(StatusListVersion).where(StatusListVersion.id == LIST_ID)).one()


def store_signed(tx: Transaction, version: int, document: str) -> None:
    """Keeps the document of `version` unless one as new is kept already."""
    kept = tx.session.exec(
        update(StatusListVersion)
        .where(col(StatusListVersion.id) == LIST_ID, col(StatusListVersion.signed_version) < version)
        .values(signed_version=version, document=document, signed_at=tx.now)
    ).rowcount
    if kept:
        tx.changed("status_list", str(LIST_ID))


def _plan(tx: Transaction, index: int, owner: str, **values: int) -> None:
    tx.session.exec(
        update(StatusIndex)
        .where(col(StatusIndex.index) == index, col(StatusIndex.owner) == owner)
        .values(**values)
    )


def _set(tx: Transaction, which: ColumnElement[bool]) -> int:
    """Sets those that are not yet, and those that came of them; says how many."""
    is_clear = col(StatusIndex.is_set).is_(False)
    parents = select(StatusIndex.index).where(which, is_clear)
    came_of_them = list(
        tx.session.exec(select(StatusIndex.index).where(is_clear, col(StatusIndex.parent).in_(parents)))
    )
    done = tx.session.exec(
        update(StatusIndex)
        .where(which, is_clear)
        .values(is_set=True, set_from=None, dead_from=tx.now + _CARRIED_SECONDS)
    )
    more = _set(tx, col(StatusIndex.index).in_(came_of_them)) if came_of_them else 0
    return int(done.rowcount) + more
