"""What is known at the door is answered from memory: without the database, for as long as was allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import doors
from tests.browsers import Browser, signed_in
from tests.issuer.http.door.test_forward_auth import reason
from tests.issuer.http.door.visitors import ACTS, Agreed, Visitor, agree, handed, new_user
from tests.issuer.http.world import World, open_world, until


@contextmanager
def agreed(world: World) -> Iterator[Agreed]:
    user = new_user(world)
    with signed_in(world.issuer, user) as browser:
        yield agree(Visitor(doors.door(world, scope=ACTS), browser), user)


def take_the_database_away(world: World, folder: Path) -> None:
    (folder / "data" / "hourmark.db").rename(folder / "away")
    until(lambda: any(line["event"] == "changes_not_followed" for line in world.issuer.lines()))


def test_what_is_known_is_answered_without_the_database(tmp_path: Path) -> None:
    """Tokens, role keys, visits, also what an app acts with; what is not known has to wait for it."""
    with open_world(tmp_path, HOURMARKD_OUTAGE_ALLOWANCE="600", **doors.SETTINGS) as world:
        door, other, key = doors.door(world), doors.door(world), world.holder("app:query@*")
        token = world.token(key)
        with Browser(world.url) as browser, agreed(world) as user, agreed(world) as new:
            visitor = Visitor(door, browser)
            visitor.arrive(visitor.enter(key.text))

            def known() -> list[int]:
                answers = (visitor.open(), door.as_bearer(key.text), door.as_bearer(token))
                return [answer.status_code for answer in answers]

            assert known() == [200] * 3
            acts = handed(user.visitor.open())
            take_the_database_away(world, tmp_path)
            assert known() == [200] * 3
            assert handed(user.visitor.open()) == acts
            for unknown in (other.as_bearer(token), new.visitor.as_script()):
                assert reason(unknown) == (503, "temporarily_unavailable")


def test_without_an_allowance_nobody_passes_that_may_have_ended(tmp_path: Path) -> None:
    """Nor is anybody sent away: a browser with a visit is not led to the entrance, and asks again."""
    with open_world(tmp_path, **doors.SETTINGS) as world, agreed(world) as user:
        key = world.holder("app:query@*")
        assert user.door.as_bearer(key.text).status_code == 200
        handed(user.visitor.open())
        take_the_database_away(world, tmp_path)
        until(lambda: user.door.as_bearer(key.text).status_code == 503)
        for answer in (user.visitor.open(), user.visitor.as_script(), user.door.as_bearer(key.text)):
            assert reason(answer) == (503, "temporarily_unavailable")
            assert "location" not in answer.headers
            assert answer.headers["retry-after"] == "1"
