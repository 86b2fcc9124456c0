"""The status list with 10^4 of 2^20 credentials revoked at random: its size, and what its ends cost."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from keys import base64url
from scripts.benchmarks import tokens, turns
from scripts.benchmarks.measure import Benchmark, Extent, Measure, Round, at_most
from verifier import jws
from verifier.status_list import ENTRIES, MAX_DOCUMENT_CHARACTERS, TYP, StatusList

Made = TypeVar("Made")
_REVOKED = 10_000
_LOOK_UPS = 20_000


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    del extent
    yield _one_round


def _one_round() -> Round:
    revoked = random.sample(range(ENTRIES), _REVOKED)
    document, build_ms = _timed(lambda: _build(revoked))
    payload = jws.parse(document, MAX_DOCUMENT_CHARACTERS).payload
    content, decode_ms = _timed(lambda: StatusList.from_payload(payload, tokens.ISSUER))
    lst = json.loads(payload)["status_list"]["lst"].encode()
    asked = [random.randrange(ENTRIES) for _ in range(_LOOK_UPS)]
    return {
        "zlib bytes": len(base64url.decode(lst)),
        "lst bytes": len(lst),
        "document bytes": len(document),
        "build ms": build_ms,
        "decode ms": decode_ms,
        "look-up µs": turns.microseconds({"look-up": content.status}, asked)["look-up"],
    }


def _build(revoked: list[int]) -> str:
    """From the revoked indices to the signed document."""
    content = StatusList.of(
        tokens.STATUS_URI, revoked, version=1, now=int(time.time()), ttl=15, lifetime=tokens.LIFETIME
    )
    return tokens.signing_key("ES256").sign(content.to_payload(tokens.ISSUER), TYP)


def _timed(do: Callable[[], Made]) -> tuple[Made, float]:
    began = time.perf_counter()
    done = do()
    return done, (time.perf_counter() - began) * 1000


BENCHMARK = Benchmark(
    name="lists",
    measures=(
        Measure(name="list, zlib", of="zlib bytes", unit="bytes"),
        Measure(name="list, `lst` in the payload", of="lst bytes", unit="bytes", target=at_most(20_000)),
        Measure(name="list, signed document", of="document bytes", unit="bytes"),
        Measure(name="list, build and sign", of="build ms", unit="ms", target=at_most(50)),
        Measure(name="list, decode", of="decode ms", unit="ms", target=at_most(1)),
        Measure(name="list, look-up", of="look-up µs", unit="µs", target=at_most(0.15)),
    ),
    prepare=_prepare,
)
