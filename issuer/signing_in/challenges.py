"""What an authenticator signs: nothing of it is stored, for it carries its own end and our seal.

The seal covers what it is for and the browser that it was made for, so it is good nowhere else.
"""

from __future__ import annotations

import hmac
import os

from issuer.browser import Browser

LIFETIME = 300
"""Seconds."""
_NONCE_BYTES, _TIME_BYTES = 16, 8


def make(browser: Browser, purpose: str, hash_key: bytes, now: int) -> bytes:
    body = os.urandom(_NONCE_BYTES) + (now + LIFETIME).to_bytes(_TIME_BYTES, "big")
    return body + _seal(body, browser, purpose, hash_key)


def is_good(challenge: bytes, browser: Browser, purpose: str, hash_key: bytes, now: int) -> bool:
    """Whether it was made here for this, and not too long ago."""
    body, seal = challenge[: _NONCE_BYTES + _TIME_BYTES], challenge[_NONCE_BYTES + _TIME_BYTES :]
    ends_at = int.from_bytes(body[_NONCE_BYTES:], "big")
    return hmac.compare_digest(seal, _seal(body, browser, purpose, hash_key)) and now < ends_at


def _seal(body: bytes, browser: Browser, purpose: str, hash_key: bytes) -> bytes:
    return hmac.digest(
        hash_key, b"\0".join((b"challenge", purpose.encode(), browser.csrf.encode(), body)), "sha256"
    )
