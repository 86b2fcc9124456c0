"""A token that stays fresh: the next one is got at four fifths of its life, or when it ends before that.

Everything that needs a token for longer than it lives has one of these: clients, files, the local endpoint.
One thread at a time asks; whoever has a good one at hand does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from holder.answers import IssuedToken
from holder.errors import HolderError, SignInNeeded, Throttled, Unreachable

OLD_AFTER = 0.8
"""Of its life."""
PAUSE_SECONDS = 10.0
"""Between two attempts where one failed and a token lives or the issuer refused, and between two tokens that
a service refused."""
SHORT_PAUSE_SECONDS = 1.0
"""Where no token lives: as soon as the issuer is back."""
MAX_PAUSE_SECONDS = 60.0
"""Where the issuer wants a longer one (`Retry-After`). The next token is needed minutes later only."""
_OTHERS_SECONDS, _LOOK_SECONDS = 2.0, 0.1
"""Whoever else keeps a token fresh hears of its end when we do: how long that is waited for."""
Ask = Callable[[str | None], IssuedToken]
"""Gets a token; one that was refused is named, so that it does not come again. Raises HolderError."""
Watch = Callable[[str], Callable[[], bool]]
"""From a token to what says at any time whether it has ended; see `revocations`."""
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Held:
    """A token, and when it was got. What `expires_in` says counts from then: no other clock is trusted."""

    issued: IssuedToken
    got_at: float
    has_ended: Callable[[], bool] = bool
    """Before its time."""

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

    def is_dead(self, now: float) -> bool:
        """It is good for nothing any more."""
        return self.left(now).expires_in == 0 or self.has_ended()


class FreshToken:
    """The token of one credential for one audience. A callable that gives its text.

    May be shared by threads and by clients.
    """

    def __init__(self, ask: Ask, clock: Clock | None = None, watch: Watch = lambda _: bool) -> None:
        self._ask = ask
        self._clock = time.time if clock is None else clock
        self._watch = watch
        self._one_at_a_time = Lock()
        self._held: Held | None = None
        self._trouble: HolderError | None = None
        """Why there is no token."""
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
        if held is None or held.is_dead(now):
            return None
        is_enough = not held.is_old(now) and held.issued.access_token != refused
        return held.left(now) if is_enough or self._pause(now) else None

    def _pause(self, now: float) -> float:
        """Seconds until the issuer may be asked. No clock that was set back makes them more."""
        left = self._not_before - now
        return left if 0 < left <= MAX_PAUSE_SECONDS else 0

    def _next(self, refused: str | None) -> IssuedToken:
        held, now = self._held, self._clock()
        if self._trouble is not None and (pause := self._pause(now)):
            raise self._trouble.again(pause)
        if held is not None and held.has_ended():
            refused = held.issued.access_token
        try:
            self._held = self._asked(refused)
        except HolderError as error:
            return self._without_another(error, refused)
        self._trouble = None
        if refused is not None:
            self._not_before = self._clock() + PAUSE_SECONDS
        return self._held.issued

    def _asked(self, refused: str | None) -> Held:
        """Raises HolderError."""
        give_up_at = time.monotonic() + _OTHERS_SECONDS
        while True:
            now, issued = self._clock(), self._ask(refused)
            held = Held(issued, now, self._watch(issued.access_token))
            if not held.has_ended():
                return held
            if issued.access_token != refused or time.monotonic() > give_up_at:
                raise SignInNeeded(
                    "The token has ended before its time",
                    "it was revoked, and there is nothing that gives another one",
                    "use a role key, or a file that somebody keeps fresh: hourmark exec -- CMD",
                    code="token_revoked",
                )
            time.sleep(_LOOK_SECONDS)

    def _without_another(self, error: HolderError, refused: str | None) -> IssuedToken:
        """The old one while the issuer is away: old is not dead, and most are back before it is."""
        held, now = self._held, self._clock()
        is_away = isinstance(error, Unreachable | Throttled)
        if not is_away:
            self._held = held = None
        is_good = held is not None and held.issued.access_token != refused and not held.is_dead(now)
        least = PAUSE_SECONDS if is_good or not (is_away or error.is_ours) else SHORT_PAUSE_SECONDS
        pause = min(max(error.retry_after or 0, least), MAX_PAUSE_SECONDS)
        self._not_before = now + pause
        if held is not None and is_good:
            return held.left(now)
        self._trouble = error
        raise error.again(pause) from None
