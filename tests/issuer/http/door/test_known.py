"""What is known at the door is answered from memory."""

from __future__ import annotations

from pathlib import Path

from tests import doors
from tests.browsers import Browser
from tests.issuer.http.door.test_forward_auth import reason
from tests.issuer.http.door.visitors import Visitor
from tests.issuer.http.world import open_world, until


def test_what_is_known_is_answered_without_the_database(tmp_path: Path) -> None:
    """Tokens, role keys and visits alike; what is not known has to wait for it."""
    with open_world(tmp_path, HOURMARKD_OUTAGE_ALLOWANCE="600", **doors.SETTINGS) as world:
        door, other, key = doors.door(world), doors.door(world), world.holder("app:query@*")
        token = world.token(key)
        with Browser(world.url) as browser:
            visitor = Visitor(door, browser)
            visitor.arrive(visitor.enter(key.text))

            def known() -> list[int]:
                answers = (visitor.open(), door.as_bearer(key.text), door.as_bearer(token))
                return [answer.status_code for answer in answers]

            assert known() == [200] * 3
            (tmp_path / "data" / "hourmark.db").rename(tmp_path / "away")
            until(lambda: any(line["event"] == "changes_not_followed" for line in world.issuer.lines()))
            assert known() == [200] * 3
            assert reason(other.as_bearer(token)) == (503, "temporarily_unavailable")
