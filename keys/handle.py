"""Opaque secrets that are found by their hash: cookies, codes, refresh tokens, links.

Like role keys they end in a CRC32: a guess or a typing error is known without a look-up.
"""

from __future__ import annotations

import hmac
from enum import StrEnum

from keys.secret import CHECKSUM_CHARACTERS, checksum, random_text

_RANDOM_CHARACTERS = 32


class Handle(StrEnum):
    """What a handle is for: the beginning of its text."""

    SESSION = "hms_"
    AUTHORIZATION_CODE = "hmc_"
    REFRESH_TOKEN = "hmr_"  # noqa: S105 - what all of them begin with
    DEVICE_CODE = "hmd_"
    INVITATION = "hmi_"
    JOB_TICKET = "hmj_"
    VISIT = "hmv_"
    VISIT_CODE = "hme_"
    CLIENT_SECRET = "hmx_"  # noqa: S105 - the same

    def generate(self) -> str:
        """A new one, 190 bits: to hand to its holder once, never to log or store it."""
        body = self.value + random_text(_RANDOM_CHARACTERS)
        return body + checksum(body)

    def is_whole(self, text: str) -> bool:
        """Whether `text` is of this kind and its checksum holds."""
        body, end = text[:-CHECKSUM_CHARACTERS], text[-CHECKSUM_CHARACTERS:]
        return (
            text.isascii()
            and text.startswith(self.value)
            and len(body) == len(self.value) + _RANDOM_CHARACTERS
            and checksum(body) == end
        )


def handle_hash(text: str, hash_key: bytes) -> bytes:
    """HMAC-SHA-256 of a handle: what is stored in its place, and what it is found by."""
    return hmac.digest(hash_key, text.encode(), "sha256")
