"""What pages of other origins have a browser do that was let in: apps at hosts of one domain are one site."""

from __future__ import annotations

import pytest

from tests import doors
from tests.browsers import Browser
from tests.doors import Door
from tests.issuer.http.door.conftest import KINDS
from tests.issuer.http.door.test_forward_auth import reason
from tests.issuer.http.door.visitors import Visitor
from tests.issuer.http.world import World

SOCKET = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.fixture(scope="module", params=KINDS)
def visited(world: World, request: pytest.FixtureRequest) -> tuple[Door, str]:
    """A door, and the Cookie header of a browser that was let in there."""
    door = doors.door(world, request.param)
    with Browser(world.url) as browser:
        visitor = Visitor(door, browser)
        visitor.arrive(visitor.enter(world.holder("app:query@*").text))
    return door, "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())


@pytest.mark.parametrize(
    ("is_let_in", "method", "headers"),
    [
        (True, "POST", {"Origin": "https://HOST"}),
        (True, "POST", {"Origin": "https://HOST", "Sec-Fetch-Site": "same-origin"}),
        # From a page of the app whose policy is `no-referrer`.
        (True, "POST", {"Origin": "null", "Sec-Fetch-Site": "same-origin"}),
        (True, "POST", {"Sec-Fetch-Site": "none"}),
        # No browser.
        (True, "POST", {}),
        (True, "GET", {"Origin": "https://HOST", **SOCKET}),
        # Reading is for the app to let (CORS).
        (True, "GET", {"Origin": "https://other.apps.example", "Sec-Fetch-Site": "same-site"}),
        (True, "HEAD", {"Sec-Fetch-Site": "cross-site"}),
        (False, "POST", {"Origin": "https://other.apps.example", "Sec-Fetch-Site": "same-site"}),
        (False, "POST", {"Origin": "https://HOST", "Sec-Fetch-Site": "same-site"}),
        (False, "POST", {"Sec-Fetch-Site": "cross-site"}),
        (False, "POST", {"Sec-Fetch-Site": ""}),
        # Browsers that say no site.
        (False, "POST", {"Origin": "https://other.apps.example"}),
        (False, "POST", {"Origin": "https://apps.example"}),
        (False, "POST", {"Origin": "http://HOST"}),
        (False, "POST", {"Origin": "https://HOST:8443"}),
        (False, "POST", {"Origin": "null"}),
        (False, "DELETE", {"Origin": "https://other.apps.example"}),
        (False, "PROPFIND", {"Origin": "https://other.apps.example"}),
        (False, "GET", {"Origin": "https://other.apps.example", **SOCKET}),
        (False, "GET", {"Sec-Fetch-Site": "same-site", **SOCKET}),
    ],
)
def test_no_page_of_another_origin_writes_with_a_visit(
    visited: tuple[Door, str], is_let_in: bool, method: str, headers: dict[str, str]
) -> None:
    door, cookie = visited
    sent = {name: value.replace("HOST", door.host) for name, value in headers.items()}
    answer = door.world.nobody.get(
        "/v1/forward-auth", headers=door.says("/", method) | sent | {"Cookie": cookie}
    )
    if is_let_in:
        assert answer.status_code == 200, answer.text
    else:
        assert reason(answer) == (403, "cross_origin")


def test_with_a_token_of_its_own_it_does(visited: tuple[Door, str]) -> None:
    """What it shows itself, no browser adds for it."""
    door, cookie = visited
    key = door.world.holder("app:query@*")
    elsewhere = {"Origin": "https://other.apps.example", "Sec-Fetch-Site": "same-site", "Cookie": cookie}
    answer = door.ask(method="POST", Authorization=f"Bearer {key.text}", **elsewhere)
    assert answer.headers["hourmark-subject"] == f"role:{key.role}"
