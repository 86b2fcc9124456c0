"""The ring of signing keys: next -> current -> retiring -> gone, as pure functions of (ring, now, policy).

A key's phase follows from the times in its row alone, so every process that reads the same rows agrees
without writing anything. Times are Unix seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a key stands. Every phase but GONE is public."""

    NEXT = "next"
    CURRENT = "current"
    RETIRING = "retiring"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RingKey:
    """What the ring needs to know of a signing key."""

    kid: str
    published_at: int
    signs_from: int
    revoked_at: int | None = None
    number: int = 0
    """In the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Durations in seconds."""

    publish_for: int
    """How long a key is public before it signs: longer than any verifier caches a JWKS."""
    sign_for: int
    """How long a key signs."""
    retire_for: int
    """How long a key stays public after its last signature: longer than anything that it signed lives."""


def phases(ring: Iterable[RingKey], now: int, policy: Policy) -> Mapping[str, Phase]:
    """The phase of every key, by `kid`.

    The current key is the latest that has begun to sign. A key never signs again once a later one has begun.
    If the latest was revoked, the next key takes over at once: it is early, but it is public already.
    """
    keys = _in_order(ring)
    current = _current(keys, now)
    return {
        key.kid: _phase(key, later=keys[n + 1 :], current=current, now=now, policy=policy)
        for n, key in enumerate(keys)
    }


def successor_signs_from(ring: Iterable[RingKey], now: int, policy: Policy) -> int | None:
    """From when a key made at `now` would sign; None when the ring has its next key and needs none.

    The very first key, and one that nobody precedes because all were revoked, signs at once.
    """
    keys = _in_order(ring)
    current = _current(keys, now)
    if current is None:
        return now
    if any(key.signs_from > current.signs_from and key.revoked_at is None for key in keys):
        return None
    return max(now + policy.publish_for, current.signs_from + policy.sign_for)


def _in_order(ring: Iterable[RingKey]) -> list[RingKey]:
    """As they begin to sign; of two that begin at once the later made one takes over.

    A key revoked in its first second comes before what replaced it then.
    """
    return sorted(ring, key=lambda key: (key.signs_from, key.revoked_at is None, key.number, key.kid))


def _current(keys: list[RingKey], now: int) -> RingKey | None:
    begun = [key for key in keys if _has_begun(key, now)]
    if begun and begun[-1].revoked_at is None:
        return begun[-1]
    return next((key for key in keys if key.signs_from > now and key.revoked_at is None), None)


def _has_begun(key: RingKey, now: int) -> bool:
    """A key that was revoked before its time takes over from nobody when that time comes."""
    return key.signs_from <= now and (key.revoked_at is None or key.revoked_at >= key.signs_from)


def _phase(key: RingKey, *, later: list[RingKey], current: RingKey | None, now: int, policy: Policy) -> Phase:
    if key.revoked_at is not None:
        return Phase.GONE
    if key is current:
        return Phase.CURRENT
    begun_later = [other.signs_from for other in later if _has_begun(other, now)]
    if not begun_later:
        return Phase.NEXT
    return Phase.GONE if now >= begun_later[0] + policy.retire_for else Phase.RETIRING
