"""F6: 10,000 tokens a second with a random `kid`.

At most one fetch of the JWKS per cooldown, one at a time, for a whole process; what is kept of the tokens is
bounded; good tokens are verified on. By how much they are slower is measured, beside the same good tokens at
the same pace without the flood: who verifies seldom finds the processor's caches cold and its clock low.
"""

from __future__ import annotations

import json
import secrets
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

from keys import base64url
from tests.faults.conftest import Lasting
from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, IssuerDouble, verdict
from verifier import Verifier, refresh

RATE = 10_000
"""A second. A machine that cannot do as many does what it can."""
GOOD_EVERY = 50
TARGET = 2
"""Times what 99 of 100 good tokens take without the flood. Shown beside what was measured, not asserted."""
KEPT_BYTES = 1024 * 1024
_REST = forge.token().partition(".")[2]


def unknown() -> str:
    header = json.dumps({"alg": "ES256", "kid": secrets.token_urlsafe(32), "typ": "at+jwt"})
    return f"{base64url.encode(header.encode()).decode()}.{_REST}"


def seconds_of(verifier: Verifier, token: str) -> float:
    began = time.perf_counter()
    assert verdict(verifier, token) == "good"
    return time.perf_counter() - began


def p99(durations: list[float]) -> float:
    return sorted(durations)[len(durations) * 99 // 100]


def paced(
    verifier: Verifier, good: list[str], flood: list[str], duration: float
) -> tuple[float, list[float]]:
    """RATE turns a second, with one of the flood each, if there is any, and now and then a good one.

    Gives how many turns a second there were, and how long each good token took.
    """
    turns, took, began = 0, [], time.monotonic()
    while (elapsed := time.monotonic() - began) < duration:
        if turns > elapsed * RATE:
            time.sleep(0.001)
            continue
        if flood:
            assert verdict(verifier, flood[turns % len(flood)]) == "unknown_key"
        turns += 1
        if turns % GOOD_EVERY == 0:
            took.append(seconds_of(verifier, good[turns // GOOD_EVERY % len(good)]))
    return turns / duration, took


def test_a_flood_of_unknown_kids_costs_a_fetch_per_cooldown(
    lasting: Lasting, record_property: Callable[[str, object], None]
) -> None:
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        good = [issuer.token() for _ in range(200)]
        for token in good:
            verifier.verify(token)
        _, calm = paced(verifier, good, [], lasting(3, 30))
        duration = lasting(12, 120)
        rate, flooded = paced(verifier, good, [unknown() for _ in range(RATE)], duration)

        fetches = issuer.times(JWKS)
        # One at the start; the flood may have the next one at the end of each cooldown.
        assert 2 <= len(fetches) <= 2 + duration / refresh.COOLDOWN
        # Requests are seen a little after they were sent, so a little less than the cooldown can lie between.
        assert all(later - earlier > refresh.COOLDOWN - 0.5 for earlier, later in pairwise(fetches))
    for what, durations in (
        ("at the same pace alone", calm),
        (f"among {rate:.0f} unknown a second", flooded),
    ):
        record_property(f"measured: a good token, 99 of 100, {what}", f"{p99(durations) * 1e6:7.1f} µs")
    ratio = p99(flooded) / p99(calm)
    record_property(f"measured: times as slow as alone, where less than {TARGET} is wanted", f"{ratio:7.2f}")


def test_nothing_is_kept_of_unknown_tokens() -> None:
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        tracemalloc.start()
        for _ in range(RATE):
            assert verdict(verifier, unknown()) == "unknown_key"
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert kept < KEPT_BYTES, f"{RATE} unknown tokens left {kept} bytes behind"
