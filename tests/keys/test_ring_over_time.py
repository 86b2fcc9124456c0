"""The ring as a clock moves, keys are made and keys are revoked: what must hold at every instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import Phase, Policy, RingKey
from keys.ring import phases, successor_signs_from

HOUR, DAY = 3600, 86400


@dataclass
class Ring:
    """Rows as a store keeps them, a fake clock, and what an observer remembers."""

    policy: Policy
    now: int = 0
    kid_of: Callable[[int], str] = "k{}".format
    keys: dict[str, RingKey] = field(default_factory=dict)
    signed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By `kid`: when it was first and last seen to sign."""

    def rotate(self) -> None:
        """What every process does now and then. Whatever happened before, somebody signs afterwards."""
        signs_from = successor_signs_from(self.keys.values(), self.now, self.policy)
        if signs_from is not None:
            kid = self.kid_of(len(self.keys))
            self.keys[kid] = RingKey(kid, published_at=self.now, signs_from=signs_from)
        self.observe()
        assert self.current is not None

    def revoke(self, kid: str) -> None:
        if self.keys[kid].revoked_at is None:
            self.keys[kid] = replace(self.keys[kid], revoked_at=self.now)
        self.observe()

    def phases(self) -> dict[str, Phase]:
        return dict(phases(self.keys.values(), self.now, self.policy))

    @property
    def current(self) -> str | None:
        current = [kid for kid, phase in self.phases().items() if phase is Phase.CURRENT]
        assert len(current) <= 1, "two keys sign"
        return current[0] if current else None

    def observe(self) -> None:
        """All that holds at any instant, from what was seen before."""
        before = next(reversed(self.signed), None)
        current = self.current
        if current is not None and current != before:
            self._takes_over(self.keys[current], None if before is None else self.keys[before])
            self.signed[current] = (self.now, self.now)
        elif current is not None:
            self.signed[current] = (self.signed[current][0], self.now)
        else:
            assert before is None or self.keys[before].revoked_at is not None, "nobody signs, without need"
            unrevoked = [key for key in self.keys.values() if key.revoked_at is None]
            assert all(key.signs_from <= self.now for key in unrevoked), "nobody signs, though one waits"
        for kid, phase in self.phases().items():
            self._is_public_as_long_as_needed(self.keys[kid], phase)

    def _takes_over(self, key: RingKey, before: RingKey | None) -> None:
        assert key.kid not in self.signed, "a key signs again after a later one began"
        assert key.revoked_at is None
        if before is not None and before.revoked_at is None:
            assert self.now >= key.signs_from, "early, and nobody was revoked"
            assert key.signs_from >= key.published_at + self.policy.publish_for, "before verifiers know it"
            assert key.signs_from >= before.signs_from + self.policy.sign_for, (
                "before the other's time was over"
            )

    def _is_public_as_long_as_needed(self, key: RingKey, phase: Phase) -> None:
        if key.revoked_at is not None:
            assert phase is Phase.GONE, "revoked, and still public"
        elif key.kid in self.signed and phase is not Phase.CURRENT:
            successor = next(other for other in self._began_after(key))
            gone_at = successor.signs_from + self.policy.retire_for
            assert phase is (Phase.RETIRING if self.now < gone_at else Phase.GONE)
            assert phase is Phase.RETIRING or self.now >= self.signed[key.kid][1] + self.policy.retire_for
        elif key.signs_from > self.now and phase is not Phase.CURRENT:
            assert phase is Phase.NEXT

    def _began_after(self, key: RingKey) -> list[RingKey]:
        """In the order in which they begin to sign; a key that was revoked before it began never did."""
        later = [other for other in self.keys.values() if key.signs_from < other.signs_from <= self.now]
        begun = [other for other in later if other.revoked_at is None or other.revoked_at >= other.signs_from]
        return sorted(begun, key=lambda other: other.signs_from)


policies = st.builds(
    Policy, publish_for=st.integers(1, 20), sign_for=st.integers(1, 40), retire_for=st.integers(1, 60)
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 70)),
        st.tuples(st.just("rotate"), st.just(0)),
        st.tuples(st.just("revoke the current"), st.just(0)),
        st.tuples(st.just("revoke one of the last"), st.integers(0, 3)),
    ),
    min_size=5,
    max_size=60,
)


# Real ones are hashes: their order says nothing of their age.
kids = st.sampled_from([lambda n: f"k{n:02}", lambda n: f"k{99 - n:02}", lambda n: f"k{n * 37 % 100:02}"])


@given(policies, kids, steps)
def test_whatever_happens(
    policy: Policy, kid_of: Callable[[int], str], happenings: list[tuple[str, int]]
) -> None:
    ring = Ring(policy, now=1000, kid_of=kid_of)
    ring.rotate()
    assert ring.current == kid_of(0), "the first key signs at once"
    for what, number in happenings:
        current = ring.current
        if what == "wait":
            for _ in range(number):
                ring.now += 1
                ring.observe()
        elif what == "rotate":
            ring.rotate()
        elif what == "revoke the current" and current is not None:
            ring.revoke(current)
        elif what == "revoke one of the last":
            ring.revoke([*ring.keys][-1 - number % len(ring.keys)])


@pytest.mark.parametrize("every", [2 * HOUR, 6 * HOUR, DAY])
def test_years_of_rotation(every: int) -> None:
    """Each key is public a day or more, signs thirty, stays public two hours: daily, that is three years."""
    policy = Policy(publish_for=DAY, sign_for=30 * DAY, retire_for=2 * HOUR)
    ring = Ring(policy)
    for now in range(0, 1100 * every, every):
        ring.now = now
        ring.rotate()
        assert ring.current == f"k{now // policy.sign_for}"
        assert sum(phase is not Phase.GONE for phase in ring.phases().values()) <= 3
    for n, key in enumerate(ring.keys.values()):
        assert key.signs_from == n * policy.sign_for
        assert n == 0 or key.signs_from - key.published_at >= policy.publish_for


def test_a_service_that_slept_for_a_year_signs_on_and_rotates_a_day_later() -> None:
    policy = Policy(publish_for=DAY, sign_for=30 * DAY, retire_for=2 * HOUR)
    ring = Ring(policy)
    ring.rotate()
    ring.rotate()
    ring.now = 365 * DAY
    ring.rotate()
    assert ring.phases() == {"k0": Phase.GONE, "k1": Phase.CURRENT, "k2": Phase.NEXT}
    assert ring.keys["k2"].signs_from == 366 * DAY
    ring.now += DAY
    ring.observe()
    assert ring.phases() == {"k0": Phase.GONE, "k1": Phase.RETIRING, "k2": Phase.CURRENT}


def test_a_stolen_key_is_replaced_at_once() -> None:
    policy = Policy(publish_for=DAY, sign_for=30 * DAY, retire_for=2 * HOUR)
    ring = Ring(policy)
    ring.rotate()
    ring.now = HOUR
    ring.revoke("k0")
    assert ring.current is None
    ring.rotate()
    assert ring.phases() == {"k0": Phase.GONE, "k1": Phase.CURRENT}
    ring.rotate()
    ring.revoke("k1")
    assert ring.phases() == {"k0": Phase.GONE, "k1": Phase.GONE, "k2": Phase.CURRENT}, "k2 was public already"
