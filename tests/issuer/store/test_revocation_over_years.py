from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.store.database import Database
from tests.issuer.store.databases import empty
from tests.issuer.store.revocation_world import World

MINUTE, HOUR, DAY = 60, 3600, 86400
WAITS = [1, MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, HOUR + 301, 2 * HOUR, 5 * HOUR, DAY, 30 * DAY]
LIFETIMES = [0, 0, MINUTE, HOUR, 3 * HOUR, 60 * DAY]
GRACES = [0, MINUTE, HOUR, DAY]
EXAMPLES = 60 if os.environ.get("CI") else 12
NOTHING = st.just(0)
WHICH = st.integers(0, 20)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["wait", "wait", "sleep"]), st.sampled_from(WAITS), NOTHING),
        st.tuples(st.just("create"), st.sampled_from(LIFETIMES), NOTHING),
        st.tuples(st.sampled_from(["issue", "issue_late", "delete", "revoke"]), WHICH, NOTHING),
        st.tuples(st.just("renew"), WHICH, st.sampled_from(GRACES)),
        st.tuples(st.sampled_from(["narrow", "tidy"]), NOTHING, NOTHING),
    ),
    min_size=10,
    max_size=40,
)


def do(world: World, what: str, one: int, other: int) -> None:
    if what in ("narrow", "tidy"):
        getattr(world, what)()
    elif what == "renew":
        world.renew(one, other)
    else:
        getattr(world, what)(one)
    world.check()


# The database is emptied for each story.
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps, st.sampled_from([MINUTE, HOUR, DAY]))
def test_whatever_happens(database: Database, story: list[tuple[str, int, int]], list_lifetime: int) -> None:
    empty(database)
    world = World(database, list_lifetime)
    for step in story:
        do(world, *step)


@pytest.mark.parametrize("seed", [1, 2])
def test_years_of_a_busy_issuer(database: Database, seed: int) -> None:
    """Many indices pass from hand to hand, and the list does not grow."""
    random, world = Random(seed), World(database)
    kinds = {
        "wait": 6,
        "sleep": 1,
        "create": 4,
        "issue": 8,
        "issue_late": 3,
        "delete": 3,
        "renew": 3,
        "revoke": 2,
    }
    kinds |= {"narrow": 1, "tidy": 3}
    for what in random.choices(list(kinds), list(kinds.values()), k=350):
        if what in ("wait", "sleep"):
            do(world, what, random.choice(WAITS), 0)
        elif what == "create":
            do(world, what, random.choice(LIFETIMES), 0)
        else:
            do(world, what, random.randrange(100), random.choice(GRACES))
    assert world.now > 365 * DAY
    assert world.reused > 10
    assert max(world.owners) < 100
