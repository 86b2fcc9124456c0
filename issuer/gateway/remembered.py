"""What was read from the database and is asked for again and again: kept until something about it changes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

import anyio
from sqlmodel import Session

from issuer.store.database import Database, StoreUnavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
MAX_AGE = 1800.0
"""Seconds. An index of the status list is given to nobody else so soon after it was set: whoever remembers
one for no longer than this never takes somebody else's for it."""
_MAX_KEPT = 10_000
_PARALLEL_READS = 4
_READ_SECONDS = 0.9


class Remembered(Generic[K, V]):
    """By key, also that there is nothing. Used from the event loop only."""

    def __init__(
        self,
        database: Database,
        read: Callable[[Session, K], V | None],
        principals_of: Callable[[V], Iterable[str]],
    ) -> None:
        """read: looks at one snapshot. principals_of: whose changes may change the value."""
        self._database = database
        self._read = read
        self._principals_of = principals_of
        self._kept: dict[K, tuple[V | None, float]] = {}
        self._by_principal: defaultdict[str, set[K]] = defaultdict(set)
        self._nothing: set[K] = set()
        self._forgotten = 0
        self._threads = anyio.CapacityLimiter(_PARALLEL_READS)

    async def get(self, key: K) -> V | None:
        """Raises StoreUnavailable."""
        value, until = self._kept.get(key, (None, 0.0))
        return value if time.monotonic() < until else await self._look_up(key)

    def drop(self, key: K) -> None:
        """It is read again when it is asked for next."""
        self._kept.pop(key, None)

    def forget(self, principal: str) -> None:
        """Something about this principal has changed, maybe from nothing."""
        self._forgotten += 1
        for key in (*self._by_principal.pop(principal, ()), *self._nothing):
            self._kept.pop(key, None)
        self._nothing.clear()

    def forget_all(self) -> None:
        self._forgotten += 1
        self._kept.clear()
        self._by_principal.clear()
        self._nothing.clear()

    async def _look_up(self, key: K) -> V | None:
        """Reads again if something was forgotten meanwhile: what was read may be what has just changed."""
        while True:
            before = self._forgotten
            try:
                with anyio.fail_after(_READ_SECONDS):
                    value = await anyio.to_thread.run_sync(
                        self._read_one, key, limiter=self._threads, abandon_on_cancel=True
                    )
            except TimeoutError as error:
                raise StoreUnavailable("the database does not answer in time") from error
            if before == self._forgotten:
                break
        if len(self._kept) >= _MAX_KEPT:
            self.forget_all()
        self._kept[key] = (value, time.monotonic() + MAX_AGE)
        if value is None:
            self._nothing.add(key)
        else:
            for principal in self._principals_of(value):
                self._by_principal[principal].add(key)
        return value

    def _read_one(self, key: K) -> V | None:
        with self._database.read() as session:
            value = self._read(session, key)
            session.expunge_all()
            return value
