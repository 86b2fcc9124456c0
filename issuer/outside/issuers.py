"""The keys of outside issuers, in memory and bounded. Only issuers that a trust policy names are ever asked.

Keys are asked for when a token comes and they are older than their own `Cache-Control` says, and for a token
with an unknown `kid`, at most once per cooldown. Whoever comes meanwhile waits for the same answer. A failed
or bad answer changes nothing: the last good keys hold on for a day at most. A key that its issuer withdrew is
trusted no more from the next answer on.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from issuer.outside.address import Addresses, RefusedAddress
from issuer.outside.token import OutsideToken
from verifier import DocumentError, TokenError, Trust, Unavailable

if TYPE_CHECKING:
    from issuer.outside.discovery import Discovery

COOLDOWN = 10.0
"""Seconds between two fetches of one issuer's keys that tokens can cause."""
MAX_KEYS_AGE = 86400.0
"""Seconds for which keys are trusted without word from their issuer."""
MAX_ISSUERS = 256
_FETCHES = 8
"""At once, of all issuers."""

logger = structlog.get_logger()


@dataclass(slots=True)
class _Known:
    """One issuer."""

    trust: Trust
    asked_at: float = -math.inf
    """Unix seconds."""
    due_at: float = -math.inf
    why: str = ""
    """What went wrong at the last time."""
    is_refused: bool = False
    """Whether that was where it is, or its keys are."""
    fetching: asyncio.Task[None] | None = field(default=None, repr=False)
    is_proven: bool = False
    """Whether a token of it was ever taken."""

    @property
    def worth(self) -> tuple[bool, bool]:
        """The least goes first where there are too many."""
        return self.is_proven, bool(self.trust.keys)


class OutsideIssuers:
    """Whose signatures are taken. Used from the event loop only."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._known: dict[str, _Known] = {}
        self._tried: list[_Known] = []
        """Those that somebody asks about and nobody keeps."""
        self._slots = asyncio.Semaphore(_FETCHES)
        self._discovery: Discovery | None = None

    async def check_signature(self, token: OutsideToken, now: float) -> None:
        """Raises TokenError: Unavailable if the keys of its issuer cannot be had."""
        known = await self._fresh(token.unverified_issuer, now)
        try:
            known.trust.signature_holds(token.jws)
        except TokenError as error:
            if error.code != "unknown_key" or known.asked_at <= now < known.asked_at + COOLDOWN:
                raise
            await self._fetch(known, now)
            known.trust.signature_holds(token.jws)

    async def check_name(self, url: str) -> None:
        """Raises RefusedAddress if the name in the URL leads to where no issuer may be."""
        await self._network().check_name(url)

    async def check_reachable(self, issuer: str, now: float) -> None:
        """Raises Unavailable, which says why its keys cannot be had; RefusedAddress if it or they may not be
        where they are.

        Somebody only wonders: what is kept for those whose tokens are taken stays as it is.
        """
        known = self._known.get(issuer)
        if known is None or known.trust.keys_updated_at is None:
            known = _Known(Trust(issuer))
            self._tried.append(known)
            try:
                await self._fetch(known, now)
            finally:
                self._tried.remove(known)
        if known.trust.keys_updated_at is None:
            if known.is_refused:
                raise RefusedAddress(known.why)
            raise Unavailable("keys_unavailable", f"the keys of {issuer} cannot be had: {known.why}")

    def note_taken(self, issuer: str) -> None:
        """A token of it was taken: its keys are kept before those of issuers of which none ever was."""
        if issuer in self._known:
            self._known[issuer].is_proven = True

    async def close(self) -> None:
        """Fetches under way are dropped."""
        for known in (*self._known.values(), *self._tried):
            if known.fetching is not None:
                known.fetching.cancel()
        if self._discovery is not None:
            await self._discovery.close()

    async def _fresh(self, issuer: str, now: float) -> _Known:
        known = self._of(issuer)
        # A clock that was set back is no reason to wait.
        if known.fetching is not None or not known.asked_at <= now < known.due_at:
            await self._fetch(known, now)
        updated_at = known.trust.keys_updated_at
        if updated_at is None or now - updated_at > MAX_KEYS_AGE:
            raise Unavailable("keys_unavailable", f"the keys of {issuer} cannot be had: {known.why}")
        return known

    def _of(self, issuer: str) -> _Known:
        """Those that were used last are kept, first those whose tokens were taken, then those with keys."""
        known = self._known.pop(issuer, None) or _Known(Trust(issuer))
        if len(self._known) >= MAX_ISSUERS:
            idle = [name for name, each in self._known.items() if each.fetching is None]
            self._known.pop(min(idle or self._known, key=lambda name: self._known[name].worth))
        self._known[issuer] = known
        return known

    async def _fetch(self, known: _Known, now: float) -> None:
        if known.fetching is None:
            known.fetching = asyncio.create_task(self._ask(known, now))
        # Whoever hangs up does not take the answer from the others.
        await asyncio.shield(known.fetching)

    async def _ask(self, known: _Known, now: float) -> None:
        try:
            async with self._slots:
                document, age = await self._network().jwks(known.trust.issuer)
            known.trust.update_keys(document, now=now)
            known.due_at, known.why, known.is_refused = now + age, "", False
        except Exception as error:  # noqa: BLE001 - whatever it is, a token of this issuer is only not known good
            known.due_at, known.why = now + COOLDOWN, _reason(error)
            known.is_refused = isinstance(error, RefusedAddress)
            logger.warning("outside_keys_not_fetched", issuer=known.trust.issuer, reason=known.why)
        finally:
            known.asked_at, known.fetching = now, None

    def _network(self) -> Discovery:
        if self._discovery is None:
            from issuer.outside.discovery import Discovery

            self._discovery = Discovery(self.addresses)
        return self._discovery


def _reason(error: Exception) -> str:
    """The text of our own refusals; that of any other error could quote the answer."""
    import httpx

    from verifier.refresh import FetchError

    if isinstance(error, FetchError | DocumentError | RefusedAddress | httpx.ConnectError):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
