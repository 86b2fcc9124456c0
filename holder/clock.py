"""Whether the clock here agrees with the issuer's, whose answers say its time (RFC 9110 section 6.6.1)."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx

_TOLERATED_SECONDS = 30
"""As far as a token may be from the future; the header has whole seconds, and the answer was on its way."""


def ahead(answer: httpx.Response) -> float | None:
    """How many seconds the clock here is ahead of the issuer's, less than 0 if it is behind.

    None where that is not known, or not worth a word. What a cache kept says nothing about now.
    """
    if "age" in answer.headers:
        return None
    try:
        seconds = time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return seconds if abs(seconds) > _TOLERATED_SECONDS else None
