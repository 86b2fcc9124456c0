"""At one with all other processes: what they change is noticed within a second, or nothing is issued."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

import structlog

from issuer.store.changes import Changed, ChangeFeed
from issuer.store.database import StoreUnavailable

MAX_BLIND_SECONDS = 1.0
"""How old the last look at the changes may be before nothing is issued any more."""

logger = structlog.get_logger()


class Coherence:
    """Follows the change log.

    forget: drops what is known of a principal, or of all (None); it cannot fail.
    refresh: reads a kind of document again; tried until it succeeds.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        last: int,
        *,
        forget: Callable[[str | None], None],
        refresh: dict[str, Callable[[], Awaitable[None]]],
        outage_allowance: float,
    ) -> None:
        self._feed = feed
        self._last = last
        self._forget = forget
        self._refresh = refresh
        self._unread: set[str] = set()
        self._max_blind = MAX_BLIND_SECONDS + outage_allowance
        self._seen_at = time.monotonic()
        self._catching_up = asyncio.Lock()

    def check(self) -> None:
        """Raises StoreUnavailable if a revocation may have been missed."""
        if time.monotonic() - self._seen_at > self._max_blind:
            raise StoreUnavailable("the database has not answered for too long to know what was revoked")

    def distrust(self) -> None:
        """Something is known to have been missed: nothing is issued until it has been caught up with."""
        self._seen_at = -math.inf

    async def catch_up(self) -> None:
        """Takes over everything that is committed now. Raises StoreUnavailable."""
        async with self._catching_up:
            began = time.monotonic()
            self._apply(await self._feed.read(self._last))
            self._seen_at = began
            for kind in sorted(self._unread):
                await self._refresh[kind]()
                self._unread.discard(kind)

    async def follow(self) -> None:
        """Catches up for ever."""
        failing = False
        while True:
            await self._feed.wait()
            try:
                await self.catch_up()
                if failing:
                    logger.info("changes_followed_again")
                failing = False
            except Exception as error:  # noqa: BLE001 - without this task nothing would ever be issued again
                if not failing:
                    reason = str(error) if isinstance(error, StoreUnavailable) else repr(error)
                    logger.warning("changes_not_followed", reason=reason)
                failing = True

    def _apply(self, changes: list[Changed]) -> None:
        for change in changes:
            if change.kind is None:
                self._forget(None)
                self._unread.update(self._refresh)
            elif change.kind == "principal":
                self._forget(change.ref)
            elif change.kind in self._refresh:
                self._unread.add(change.kind)
            else:
                # A newer version of the service runs beside this one and tells of what is not known here.
                self._forget(None)
            self._last = change.number
