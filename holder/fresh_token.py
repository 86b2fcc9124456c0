"""A token that stays fresh: the next one is got at four fifths of its life, by one thread at a time.

Everything that needs a token for longer than it lives has one of these: clients, files, the local endpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from holder.answers import IssuedToken
from holder.errors import HolderError, Throttled, Unreachable

OLD_AFTER = 0.8
"""Of its life."""
PAUSE_SECONDS = 10.0
"""Between two attempts where one failed, and between two tokens that a service refused."""
MAX_PAUSE_SECONDS = 60.0
"""Where the issuer wants a longer one (`Retry-After`). The next token is needed minutes later only."""
Ask = Callable[[str | None], IssuedToken]
"""Gets a token; one that was refused is named, so that it does not come again. Raises HolderError."""
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Held:
    """A token, and when it was got. What `expires_in` says counts from then: no other clock is trusted."""

    issued: IssuedToken
    got_at: float

    @property
    def old_at(self) -> float:
        return self.got_at + OLD_AFTER * self.issued.expires_in

    def left(self, now: float) -> IssuedToken:
        """The token as of now."""
        life = self.issued.expires_in
        return replace(self.issued, expires_in=min(max(int(self.got_at + life - now), 0), life))

    def is_old(self, now: float) -> bool:
        """Also where the clock was set back: then nobody knows how old it is."""
        return not self.got_at <= now < self.old_at


class FreshToken:
    """The token of one credential for one audience. A callable that gives its text.

    May be shared by threads and by clients.
    """

    def __init__(self, ask: Ask, clock: Clock | None = None) -> None:
        self._ask = ask
        self._clock = time.time if clock is None else clock
        self._one_at_a_time = Lock()
        self._held: Held | None = None
        self._not_before = 0.0
        """When to ask again at the earliest: where the issuer was away, or a service refused a new token."""

    def __call__(self) -> str:
        """The text of a token that is good now. Raises HolderError."""
        return self.get().access_token

    def get(self, refused: str | None = None) -> IssuedToken:
        """Raises HolderError.

        refused: a token that a service did not accept. Another one comes back, but the same where it is known
        that no other one will do: who gets the same need not try again.
        """
        if (good := self.at_hand(refused)) is not None:
            return good
        with self._one_at_a_time:
            # Another thread may have been faster.
            good = self.at_hand(refused)
            return self._next(refused) if good is None else good

    def at_hand(self, refused: str | None = None) -> IssuedToken | None:
        """What `get` gives without asking the issuer; None where it must ask."""
        held, now = self._held, self._clock()
        if held is None:
            return None
        if now < self._not_before <= now + MAX_PAUSE_SECONDS:
            left = held.left(now)
            return left if left.expires_in > 0 else None
        return None if held.is_old(now) or held.issued.access_token == refused else held.left(now)

    @property
    def seconds_fresh(self) -> float:
        """Until there is something to do; 0 where that is now."""
        old_at = 0.0 if self._held is None else self._held.old_at
        return max(max(old_at, self._not_before) - self._clock(), 0)

    def _next(self, refused: str | None) -> IssuedToken:
        held, now = self._held, self._clock()
        try:
            issued = self._ask(refused)
        except (Unreachable, Throttled) as error:
            self._not_before = now + _pause_after(error)
            # Old is not dead: most issuers are back before it is.
            if held is None or held.issued.access_token == refused or held.left(now).expires_in == 0:
                raise
            return held.left(now)
        self._held = Held(issued, now)
        if refused is not None:
            self._not_before = now + PAUSE_SECONDS
        return issued


def _pause_after(error: HolderError) -> float:
    wanted = PAUSE_SECONDS if error.retry_after is None else error.retry_after
    return min(max(wanted, PAUSE_SECONDS), MAX_PAUSE_SECONDS)
