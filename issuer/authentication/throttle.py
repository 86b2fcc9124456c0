"""Wrong credentials, counted by source. A right one always gets through, so nobody can lock out another."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from issuer.denials import Denial


class Throttle:
    """Counts failures in this process, by address."""

    def __init__(self, failures: int) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(failures)

    def is_over(self, source: str) -> bool:
        """Whether there were so many from there that the next one is answered with `slow_down`."""
        return not self._limiter.test(self._limit, source)

    def failed(self, source: str, error: Exception) -> Exception:
        """What to answer to this failure: the error itself, or `slow_down` once there were too many."""
        return error if self._limiter.hit(self._limit, source) else self.too_many(source)

    def too_many(self, source: str) -> Denial:
        """What is said once there were too many."""
        reset_at = self._limiter.get_window_stats(self._limit, source).reset_time
        seconds = max(1, math.ceil(reset_at - time.time()))
        return Denial(
            "slow_down",
            f"too many wrong credentials from this address: try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )
