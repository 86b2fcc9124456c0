"""Role keys at a service: each is exchanged once for a token of the service, and that is verified each time.

The token is kept until it ends, and asked for anew, beside the requests, from 80 % of its life on. When it is
refused, because its key was renewed, deleted or narrowed, the key is asked once more: so the list's bound
holds for keys too. A key that the issuer does not take is remembered for a few seconds. What is remembered is
found by a hash: no role key stays in memory.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import time
import weakref
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from keys import MalformedRoleKey, RoleKey
from verifier.claims import Token
from verifier.errors import TokenError, Unavailable
from verifier.exchange import DEADLINE, UNREACHABLE, Exchange, Exchanged, NotExchanged, Outcome
from verifier.verify import Verifier

MAX_REMEMBERED = 4096
"""Of keys that are good, and of keys that are not."""
BAD_SECONDS = 10.0
"""How long a key stays refused without asking again."""
AWAY_SECONDS = 1.0
"""How long an issuer that could not be asked is not asked again about the same key."""
_LIFE_BEFORE_RENEWAL = 0.8
_PATIENCE = DEADLINE + 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Good:
    raw: str = field(repr=False)
    renew_at: float


@dataclass(frozen=True, slots=True)
class _Bad:
    why: NotExchanged
    until: float


class RoleKeys:
    """Turns role keys into tokens of a verifier's service. May be shared by threads and event loops."""

    def __init__(self, verifier: Verifier, *, audience: str | None = None) -> None:
        """audience: the verifier's that tokens are asked for; to be said if it has several.

        Raises ValueError, also for an issuer that is no https URL (or http on this host).
        """
        if audience is None and len(verifier.audiences) == 1:
            (audience,) = verifier.audiences
        if audience is None or audience not in verifier.audiences:
            raise ValueError(f"audience is one of the verifier's: {', '.join(sorted(verifier.audiences))}")
        self._verifier = verifier
        self._exchange = Exchange(verifier.issuer, audience)
        self._good: dict[bytes, _Good] = {}
        self._bad: dict[bytes, _Bad] = {}
        weakref.finalize(self, self._exchange.close)
        self._exchange.start()

    def token(self, key: str, *, now: float | None = None) -> Token:
        """The token of `key` (`access:secret`), if it is good at `now` (Unix seconds). Raises TokenError.

        Waits for the issuer, 5 seconds at most, the first time.
        """
        now, digest = time.time() if now is None else now, _digest(key)
        token = self._known(key, digest, now)
        if token is not None:
            return token
        answer = self._exchange.ask(_parsed(key))
        concurrent.futures.wait([answer], _PATIENCE)
        return self._learn(digest, answer, now)

    async def token_async(self, key: str, *, now: float | None = None) -> Token:
        """The same in an event loop."""
        now, digest = time.time() if now is None else now, _digest(key)
        token = self._known(key, digest, now)
        if token is not None:
            return token
        answer = self._exchange.ask(_parsed(key))
        await asyncio.wait([asyncio.wrap_future(answer)], timeout=_PATIENCE)
        return self._learn(digest, answer, now)

    def _known(self, key: str, digest: bytes, now: float) -> Token | None:
        """None where the issuer has to be asked. Raises TokenError."""
        good, bad = self._good.get(digest), self._bad.get(digest)
        # No longer than that ahead: a clock that was set back does not keep a key out.
        is_bad = bad is not None and now < bad.until <= now + BAD_SECONDS
        if good is not None:
            if now >= good.renew_at and not is_bad:
                answer = self._exchange.ask(_parsed(key))
                answer.add_done_callback(lambda answer: self._learn_beside(digest, answer, now))
            try:
                return self._verifier.verify(good.raw, now=now)
            except Unavailable:
                raise
            except TokenError:
                self._good.pop(digest, None)
        if bad is not None and is_bad:
            raise bad.why.error()
        return None

    def _learn(self, digest: bytes, answer: Future[Outcome], now: float) -> Token:
        """Raises TokenError."""
        outcome = answer.result() if answer.done() else UNREACHABLE
        if isinstance(outcome, Exchanged):
            try:
                token = self._verifier.verify(outcome.raw, now=now)
            except TokenError as error:
                outcome = _refused_here(error)
            else:
                renew_at = token.issued_at + _LIFE_BEFORE_RENEWAL * (token.expires_at - token.issued_at)
                _remember(self._good, digest, _Good(outcome.raw, renew_at))
                return token
        if outcome.is_final:
            self._good.pop(digest, None)
        _remember(self._bad, digest, _Bad(outcome, now + (BAD_SECONDS if outcome.is_final else AWAY_SECONDS)))
        raise outcome.error()

    def _learn_beside(self, digest: bytes, answer: Future[Outcome], now: float) -> None:
        with suppress(TokenError):
            self._learn(digest, answer, now)

    def close(self) -> None:
        """Ends the thread that asks. Tokens that are known stay good until they end."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _remember(table: dict[bytes, T], digest: bytes, what: T) -> None:
    if len(table) >= MAX_REMEMBERED:
        table.clear()
    table[digest] = what


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()


def _parsed(key: str) -> RoleKey:
    """The checksum holds before anybody is asked. Raises TokenError."""
    try:
        return RoleKey.parse(key)
    except MalformedRoleKey as error:
        raise TokenError("malformed", str(error)) from None


def _refused_here(error: TokenError) -> NotExchanged:
    """Of a token that came from the issuer just now, an unknown key is one that was not heard of here yet."""
    if error.code == "unknown_key":
        return NotExchanged("keys_unavailable", "the issuer's newest key has not been loaded yet")
    if error.code in ("expired", "not_yet_valid"):
        return NotExchanged("keys_unavailable", "a new token is out of its time here: check the clocks")
    return NotExchanged(error.code, error.detail)
