"""The ring at single instants. What holds over time stands in test_ring_over_time."""

from __future__ import annotations

import pytest

from keys import Phase, Policy, RingKey
from keys.ring import phases, successor_signs_from

POLICY = Policy(publish_for=10, sign_for=100, retire_for=50)
NEXT, CURRENT, RETIRING, GONE = Phase.NEXT, Phase.CURRENT, Phase.RETIRING, Phase.GONE


def ring(*rows: tuple[int, int, int | None] | tuple[int, int]) -> list[RingKey]:
    """Keys a, b, … of (published_at, signs_from[, revoked_at])."""
    return [RingKey(chr(ord("a") + n), *row) for n, row in enumerate(rows)]


ONE = ring((0, 0))
WAITING = ring((50, 60))
HANDOVER = ring((0, 0), (80, 100))
THREE = ring((0, 0), (80, 100), (180, 200))
REVOKED = ring((0, 0), (80, 100, 150))
REVOKED_WITH_SUCCESSOR = ring((0, 0), (80, 100, 150), (140, 200))
REVOKED_BEFORE_ITS_TIME = ring((0, 0), (80, 100, 90))
REVOKED_BEFORE_ITS_TIME_WITH_SUCCESSOR = ring((0, 0), (80, 100, 90), (90, 110))
REVOKED_WHEN_ITS_TIME_CAME = ring((0, 0), (80, 100, 100))
TWICE_REVOKED = ring((0, 0, 20), (15, 100, 30), (30, 30))
REPLACED_IN_ITS_FIRST_SECOND = ring((0, 0), (0, 0, 0))
SAME_TIME = ring((0, 0), (80, 100), (85, 100))


@pytest.mark.parametrize(
    ("keys", "now", "expected"),
    [
        ([], 0, []),
        (ONE, 0, [CURRENT]),
        (ONE, 10**9, [CURRENT]),
        # Nobody precedes it: it is early rather than that nobody signs.
        (WAITING, 50, [CURRENT]),
        (WAITING, 60, [CURRENT]),
        (HANDOVER, 80, [CURRENT, NEXT]),
        (HANDOVER, 99, [CURRENT, NEXT]),
        (HANDOVER, 100, [RETIRING, CURRENT]),
        (HANDOVER, 149, [RETIRING, CURRENT]),
        (HANDOVER, 150, [GONE, CURRENT]),
        # A key retires from the moment in which the one after it began, not the last.
        (THREE, 149, [RETIRING, CURRENT, NEXT]),
        (THREE, 199, [GONE, CURRENT, NEXT]),
        (THREE, 200, [GONE, RETIRING, CURRENT]),
        (THREE, 249, [GONE, RETIRING, CURRENT]),
        (THREE, 250, [GONE, GONE, CURRENT]),
        # Revoked, and nobody waits: nobody signs, least of all the one before.
        (REVOKED, 149, [RETIRING, GONE]),
        (REVOKED, 150, [GONE, GONE]),
        (REVOKED_WITH_SUCCESSOR, 160, [GONE, GONE, CURRENT]),
        (REVOKED_WITH_SUCCESSOR, 200, [GONE, GONE, CURRENT]),
        # Revoked before it began: when its time comes, nothing happens.
        (REVOKED_BEFORE_ITS_TIME, 99, [CURRENT, GONE]),
        (REVOKED_BEFORE_ITS_TIME, 100, [CURRENT, GONE]),
        (REVOKED_BEFORE_ITS_TIME, 10**6, [CURRENT, GONE]),
        (REVOKED_BEFORE_ITS_TIME_WITH_SUCCESSOR, 105, [CURRENT, GONE, NEXT]),
        (REVOKED_BEFORE_ITS_TIME_WITH_SUCCESSOR, 110, [RETIRING, GONE, CURRENT]),
        (REVOKED_BEFORE_ITS_TIME_WITH_SUCCESSOR, 159, [RETIRING, GONE, CURRENT]),
        (REVOKED_BEFORE_ITS_TIME_WITH_SUCCESSOR, 160, [GONE, GONE, CURRENT]),
        # Revoked in its first second: it may have signed, so the one before never signs again.
        (REVOKED_WHEN_ITS_TIME_CAME, 100, [RETIRING, GONE]),
        # Its successor b took over early and was revoked as well: c stays when b's time comes.
        (TWICE_REVOKED, 30, [GONE, GONE, CURRENT]),
        (TWICE_REVOKED, 100, [GONE, GONE, CURRENT]),
        (REPLACED_IN_ITS_FIRST_SECOND, 0, [CURRENT, GONE]),
        (REPLACED_IN_ITS_FIRST_SECOND, 1, [CURRENT, GONE]),
        (SAME_TIME, 99, [CURRENT, NEXT, NEXT]),
        (SAME_TIME, 100, [RETIRING, RETIRING, CURRENT]),
    ],
)
def test_phases(keys: list[RingKey], now: int, expected: list[Phase]) -> None:
    by_kid = dict(zip((key.kid for key in keys), expected, strict=True))
    assert phases(keys, now, POLICY) == by_kid
    assert phases(reversed(keys), now, POLICY) == by_kid, "the order of the rows does not matter"


@pytest.mark.parametrize(
    ("keys", "now", "signs_from"),
    [
        ([], 7, 7),
        (ring((0, 0, 5)), 7, 7),
        (ring((0, 0, 5), (1, 90, 6)), 7, 7),
        (REVOKED, 150, 150),
        # In time: when the current one has signed as long as it should.
        (ONE, 0, 100),
        (ONE, 90, 100),
        # Late: never before verifiers know it.
        (ONE, 91, 101),
        (ONE, 500, 510),
        # One waits already.
        (HANDOVER, 80, None),
        (HANDOVER, 99, None),
        (HANDOVER, 100, 200),
        (SAME_TIME, 99, None),
        # The one that waits was revoked, or has taken over early.
        (REVOKED_BEFORE_ITS_TIME, 95, 105),
        (REVOKED_BEFORE_ITS_TIME, 100, 110),
        (REVOKED_BEFORE_ITS_TIME_WITH_SUCCESSOR, 95, None),
        (REVOKED_WITH_SUCCESSOR, 160, 300),
        (WAITING, 50, 160),
        (TWICE_REVOKED, 100, 130),
        (THREE, 100, None),
        (THREE, 200, 300),
        (REPLACED_IN_ITS_FIRST_SECOND, 0, 100),
    ],
)
def test_when_a_new_key_would_sign(keys: list[RingKey], now: int, signs_from: int | None) -> None:
    assert successor_signs_from(keys, now, POLICY) == signs_from
    assert successor_signs_from(reversed(keys), now, POLICY) == signs_from


def test_of_two_that_begin_at_once_the_later_made_one_signs() -> None:
    for kids in ("ab", "ba"):
        keys = [RingKey(kid, 0, 100, number=number) for number, kid in enumerate(kids)]
        assert phases(keys, 100, POLICY) == {kids[0]: RETIRING, kids[1]: CURRENT}
        assert phases(keys[::-1], 100, POLICY) == {kids[0]: RETIRING, kids[1]: CURRENT}


def test_phases_are_the_words_that_people_read() -> None:
    assert [str(phase) for phase in Phase] == ["next", "current", "retiring", "gone"]
