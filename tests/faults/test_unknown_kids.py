"""F6: 10,000 tokens a second with a random `kid`.

At most one fetch of the JWKS per cooldown, one at a time, for a whole process; what is kept of the tokens is
bounded; good tokens are verified on. By how much they are slower is measured.
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


def test_a_flood_of_unknown_kids_costs_a_fetch_per_cooldown(
    lasting: Lasting, record_property: Callable[[str, object], None]
) -> None:
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        good = [issuer.token() for _ in range(200)]
        for token in good:
            verifier.verify(token)
        calm = [seconds_of(verifier, token) for token in good for _ in range(20)]

        batch = [unknown() for _ in range(RATE)]
        flooded: list[float] = []
        sent, began, duration = 0, time.monotonic(), lasting(12, 120)
        while (elapsed := time.monotonic() - began) < duration:
            if sent > elapsed * RATE:
                time.sleep(0.001)
                continue
            assert verdict(verifier, batch[sent % RATE]) == "unknown_key"
            sent += 1
            if sent % GOOD_EVERY == 0:
                flooded.append(seconds_of(verifier, good[sent // GOOD_EVERY % len(good)]))

        fetches = issuer.times(JWKS)
        # One at the start; the flood may have the next one at the end of each cooldown.
        assert 2 <= len(fetches) <= 2 + duration / refresh.COOLDOWN
        # Requests are seen a little after they were sent, so a little less than the cooldown can lie between.
        assert all(later - earlier > refresh.COOLDOWN - 0.5 for earlier, later in pairwise(fetches))
    for what, durations in (("alone", calm), (f"under {sent / duration:.0f} unknown ones a second", flooded)):
        record_property(f"measured: a good token, 99 of 100, {what}", f"{p99(durations) * 1e6:7.1f} µs")


def test_nothing_is_kept_of_unknown_tokens() -> None:
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        tracemalloc.start()
        for _ in range(RATE):
            assert verdict(verifier, unknown()) == "unknown_key"
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert kept < KEPT_BYTES, f"{RATE} unknown tokens left {kept} bytes behind"
