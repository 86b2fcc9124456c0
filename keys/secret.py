"""Long-lived credentials `access:secret`: create, parse, checksum, keyed hash.

The last six characters are a CRC32 of everything before them. It keeps nobody out: it tells a typing error
from a wrong secret without a request, and lets leak scanners recognise a real one.
"""

from __future__ import annotations

import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ROLE_KEY_PREFIX = "hmk_"
_ACCESS_CHARACTERS = 16
_RANDOM_CHARACTERS = 32
CHECKSUM_CHARACTERS = 6
_FORM = re.compile(rf"({ROLE_KEY_PREFIX}[0-9A-Za-z]{{{_ACCESS_CHARACTERS}}}):([0-9A-Za-z]+)", re.ASCII)


class MalformedRoleKey(ValueError):
    """A text that cannot be a role key; the message says what is wrong and never quotes the secret."""


@dataclass(frozen=True, slots=True)
class RoleKey:
    """A role key in the clear. It exists where one is made or presented, and is never stored."""

    access: str
    secret: str = field(repr=False)

    @classmethod
    def generate(cls, access: str | None = None) -> RoleKey:
        """A new role key, or a new secret for `access`."""
        access = access or ROLE_KEY_PREFIX + random_text(_ACCESS_CHARACTERS)
        body = random_text(_RANDOM_CHARACTERS)
        return cls(access, body + checksum(f"{access}:{body}"))

    @classmethod
    def parse(cls, text: str) -> RoleKey:
        """Raises MalformedRoleKey unless `text` is whole and its checksum holds."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise MalformedRoleKey("a role key looks like hmk_…:…, letters and digits on both sides")
        access, secret = match.groups()
        missing = _RANDOM_CHARACTERS + CHECKSUM_CHARACTERS - len(secret)
        if missing:
            cut = f"{missing} missing" if missing > 0 else f"{-missing} too many"
            raise MalformedRoleKey(
                f"the secret has {len(secret)} characters, {cut}: was it cut when it was copied?"
            )
        if checksum(text[:-CHECKSUM_CHARACTERS]) != secret[-CHECKSUM_CHARACTERS:]:
            raise MalformedRoleKey("the checksum does not match: a character was mistyped")
        return cls(access, secret)

    def reveal(self) -> str:
        """The whole key, `access:secret`: to hand it to its holder once, never to log it."""
        return f"{self.access}:{self.secret}"

    def hash(self, hash_key: bytes) -> bytes:
        """HMAC-SHA-256 of the whole role key: what is stored in its place."""
        return hmac.digest(hash_key, self.reveal().encode(), "sha256")


def random_text(characters: int) -> str:
    """Letters and digits, 5.95 bits each."""
    return "".join(secrets.choice(_BASE62) for _ in range(characters))


def checksum(text: str) -> str:
    """CRC32 as six base62 characters."""
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits
