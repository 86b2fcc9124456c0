"""Status list <-> `statuslist+jwt` payload, both ways (IETF Token Status List).

One status of 1, 2, 4 or 8 bits an index; anything but zero means that the token is not valid any more.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from keys import base64url
from verifier import strict_json

TYP = "statuslist+jwt"
ENTRIES = 2**20
MAX_DOCUMENT_CHARACTERS = 512 * 1024
"""The worst list of 2^20 single bits has about 234,000."""
_MAX_INFLATED_BYTES = ENTRIES
"""Room for ENTRIES statuses of eight bits; a zlib bomb stops here."""
_BITS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """The statuses of one list at one version. Times are Unix seconds."""

    uri: str
    bits: int
    statuses: bytes = field(repr=False)
    issued_at: int
    expires_at: int
    ttl: int
    """How many seconds to wait before asking again."""
    version: int = 0
    """Which of two lists is the older one; 0 where an issuer does not number its lists."""

    @classmethod
    def of(
        cls, uri: str, invalid: Iterable[int], *, version: int, now: int, ttl: int, lifetime: int
    ) -> StatusList:
        """A list of ENTRIES single bits of which those of the indices `invalid` are set."""
        statuses = bytearray(ENTRIES // 8)
        for index in invalid:
            statuses[index >> 3] |= 1 << (index & 7)
        return cls(
            uri=uri,
            bits=1,
            statuses=bytes(statuses),
            issued_at=now,
            expires_at=now + lifetime,
            ttl=ttl,
            version=version,
        )

    def status(self, index: int) -> int:
        """The status at `index` (0 = valid). Raises IndexError past the end."""
        if self.bits == 1:
            # As Hourmark's lists are, and asked about at every verification.
            return self.statuses[index >> 3] >> (index & 7) & 1
        per_byte = 8 // self.bits
        return self.statuses[index // per_byte] >> (index % per_byte * self.bits) & ((1 << self.bits) - 1)

    @property
    def age(self) -> tuple[int, int]:
        """Greater is newer: by version; between two of the same version (or of none) by time of issue."""
        return self.version, self.issued_at

    def to_payload(self, issuer: str) -> bytes:
        """The payload of its JWT."""
        lst = base64url.encode(_deflate(self.statuses)).decode()
        claims = {
            "iss": issuer,
            "sub": self.uri,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "ttl": self.ttl,
            "version": self.version,
            "status_list": {"bits": self.bits, "lst": lst},
        }
        return json.dumps(claims, separators=(",", ":")).encode()

    @classmethod
    def from_payload(cls, payload: bytes, issuer: str) -> StatusList:
        """Raises ValueError for what is no status list of `issuer`.

        The specification leaves `iss`, `exp` and `ttl` to the issuer. Here another issuer's list is refused,
        and `exp` is required: a list without an end could hide revocations for good.
        """
        claims = strict_json.parse_object(payload)
        if claims.get("iss", issuer) != issuer:
            raise ValueError("the list is another issuer's")
        encoded, uri = claims.get("status_list"), claims.get("sub")
        if not isinstance(encoded, dict) or not isinstance(uri, str):
            raise ValueError("sub or status_list is missing")
        bits, lst = encoded.get("bits"), encoded.get("lst")
        if type(bits) is not int or bits not in _BITS or not isinstance(lst, str):
            raise ValueError("status_list has no bits of 1, 2, 4 or 8, or no lst")
        return cls(
            uri=uri,
            bits=bits,
            statuses=_inflate(base64url.decode(lst.encode())),
            issued_at=_integer(claims, "iat"),
            expires_at=_integer(claims, "exp"),
            ttl=_integer(claims, "ttl", 15),
            version=_integer(claims, "version", 0),
        )


def _deflate(statuses: bytes) -> bytes:
    """Run lengths say it all of bits far apart, in a hundredth of the time of a search for repetitions."""
    deflater = zlib.compressobj(level=9, memLevel=9, strategy=zlib.Z_RLE)
    return deflater.compress(statuses) + deflater.flush()


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        statuses = inflater.decompress(data, _MAX_INFLATED_BYTES + 1)
    except zlib.error as error:
        raise ValueError("lst is not zlib data") from error
    if len(statuses) > _MAX_INFLATED_BYTES:
        raise OversizedList("lst inflates to more than a list can hold")
    if not inflater.eof or inflater.unused_data:
        raise ValueError("lst is cut off or followed by something else")
    return statuses


class OversizedList(ValueError):
    """A list that is longer than any real one."""


def _integer(claims: Mapping[str, object], name: str, default: int | None = None) -> int:
    value = claims.get(name, default)
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} is missing or not a number")
    return value
