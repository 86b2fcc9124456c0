"""Cookies beside the door's own: the app's, and those that somebody at a host above or below sets there."""

from __future__ import annotations

from typing import NamedTuple

import httpx
import pytest

from tests import doors
from tests.browsers import Browser
from tests.doors import Door
from tests.issuer.http.door.conftest import NewVisitor
from tests.issuer.http.door.visitors import PAGE, Visitor
from tests.issuer.http.world import World

BROWSER, VISIT = "__Host-hourmark-browser", "__Host-hourmark-visit"


class Visited(NamedTuple):
    """A door, and the cookies of two browsers that were let in there."""

    door: Door
    mine: str
    planted: str

    def ask(self, cookies: str, **headers: str) -> httpx.Response:
        """The header is sent as it is, byte by byte; MINE and PLANTED are the cookies' values."""
        text = cookies.replace("MINE", self.mine).replace("PLANTED", self.planted)
        sent = {name.encode(): value.encode() for name, value in (self.door.says() | headers).items()}
        return self.door.world.nobody.get(
            "/v1/forward-auth", headers=sent | {b"Cookie": text.encode("latin-1")}
        )


@pytest.fixture(scope="module")
def visited(world: World) -> Visited:
    door, cookies = doors.door(world), list[str]()
    for _ in range(2):
        with Browser(world.url) as browser:
            visitor = Visitor(door, browser)
            visitor.arrive(visitor.enter(world.holder("app:query@*").text))
            cookies.append(visitor.cookies[VISIT])
    return Visited(door, *cookies)


@pytest.mark.parametrize(
    "cookies",
    [
        f"{VISIT}=MINE",
        f"theirs=1; {VISIT}=MINE; other=2",
        f"theirs=1;{VISIT}=MINE;other=2",
        f"{VISIT} = MINE ;\ttheirs=1",
        # Without the prefix anybody sets one: over https it is none of ours.
        f"hourmark-visit=PLANTED; {VISIT}=MINE",
        f"{VISIT}=MINE; hourmark-visit=PLANTED",
        f"__host-hourmark-visit=PLANTED; {VISIT}=MINE",
    ],
)
def test_the_visit_is_found_wherever_it_stands(visited: Visited, cookies: str) -> None:
    answer = visited.ask(cookies)
    mine = visited.ask(f"{VISIT}=MINE").headers["hourmark-client"]
    assert (answer.status_code, answer.headers["hourmark-client"]) == (200, mine)


@pytest.mark.parametrize(
    "cookies",
    [
        # A browser asks nothing of these names that another host may not set, and takes them for others.
        f"\xa0{VISIT}=PLANTED",
        f"\x85{VISIT}=PLANTED",
        f"{VISIT}\xa0=PLANTED",
        f"theirs=1;\xa0{VISIT}=PLANTED",
        "hourmark-visit=PLANTED",
        f"__host-hourmark-visit=PLANTED; {VISIT.lower()}=PLANTED",
        f"theirs=1,{VISIT}=PLANTED",
        # Of two nobody knows which one is of this host.
        f"{VISIT}=PLANTED; {VISIT}=MINE",
        f"{VISIT}=MINE; {VISIT}=PLANTED",
        f"{VISIT}=MINE; {VISIT}=MINE",
        f"{VISIT}=; {VISIT}=MINE",
        f'{VISIT}="MINE"',
    ],
)
def test_what_is_no_cookie_of_this_host_opens_nothing(visited: Visited, cookies: str) -> None:
    answer = visited.ask(cookies)
    assert (answer.status_code, answer.headers["hourmark-refused"]) == (401, "no_credential")
    assert "location" in visited.ask(cookies, **PAGE).headers


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        ("a=1; b=2", "a=1; b=2"),
        ("a=1;b=2;;", "a=1; b=2"),
        ('a="x y"; b', 'a="x y"; b'),
        (f"a=1; {VISIT}=MINE; b=2; {BROWSER}=x", "a=1; b=2"),
        ("a=1; hourmark-visit=MINE; hourmark-browser=x", "a=1"),
        (f"\xa0{VISIT}=MINE; a=1", "a=1"),
        # What a proxy makes of two headers.
        (f"a=1,{VISIT}=MINE; b=2", "b=2"),
        (f"{VISIT}=MINE,{VISIT}=MINE", ""),
    ],
)
def test_the_app_gets_its_own_alone(visited: Visited, cookies: str, expected: str) -> None:
    key = visited.door.world.holder("app:query@*")
    answer = visited.ask(cookies, Authorization=f"Bearer {key.text}")
    assert (answer.status_code, answer.headers["cookie"]) == (200, expected)


def test_by_two_browsers_nobody_arrives(world: World, new_visitor: NewVisitor) -> None:
    """A code that was planted with the cookie that it goes with lets nobody in beside the browser's own."""
    door, key = doors.door(world), world.holder("app:query@*")
    attacker, victim = new_visitor(door), new_visitor(door)
    planted = attacker.enter(key.text)
    victim.open()
    both = f"{BROWSER}={attacker.cookies[BROWSER]}; {BROWSER}={victim.cookies[BROWSER]}"
    target = planted.removeprefix(f"https://{door.host}")
    led = door.ask(target, **PAGE, Cookie=both)
    assert led.headers["location"].startswith(f"{world.url}/enter?")
    assert VISIT not in led.headers["set-cookie"]
