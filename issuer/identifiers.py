"""Identifiers of tokens and requests: random, drawn from the system in blocks.

A call to the system for each would cost a fifth of a signature. Used from the event loop only.
"""

from __future__ import annotations

import os
from binascii import b2a_base64, hexlify

_BLOCK_BYTES = 3072
_TO_BASE64URL = bytes.maketrans(b"+/", b"-_")


class _Random:
    """Random bytes in order, each handed out once."""

    def __init__(self) -> None:
        self._block = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._block):
            self._block, self._at = os.urandom(_BLOCK_BYTES), 0
        taken = self._block[self._at : self._at + count]
        self._at += count
        return taken


_random = _Random()


def new_token_id() -> bytes:
    """A `jti` (RFC 7519 section 4.1.7): 96 bits as 16 base64url characters."""
    return b2a_base64(_random.take(12), newline=False).translate(_TO_BASE64URL)


def new_request_id() -> bytes:
    """64 bits in hexadecimal."""
    return hexlify(_random.take(8))
