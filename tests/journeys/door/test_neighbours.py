"""Apps at a host and at one below it: what one sets in a browser is nothing to the other.

The one below is run by somebody who would like to be let in above, or to have others in there as himself.
"""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.issuer.http.world import Key
from tests.journeys.door.conftest import House, NewHouse
from tests.journeys.door.test_browsers import at_the_entrance, connect

VISIT, BROWSER = "hourmark-visit", "hourmark-browser"
behind = pytest.mark.parametrize(
    ("new_house", "is_secure"), [("nginx", True), ("caddy", True), ("nginx", False)], indirect=["new_house"]
)


def enter(page: Page, house: House, key: Key) -> None:
    page.goto(house.url)
    at_the_entrance(page, house)
    connect(page, key.text)
    is_in_as(page, house, key)


def is_in_as(page: Page, house: House, key: Key) -> None:
    page.goto(house.url)
    expect(page.locator("#who")).to_have_text(f"role:{key.role}")


def cookies_at(page: Page, house: House) -> dict[str, str]:
    """By name; the browser sends no other one there."""
    return {each["name"]: str(each["value"]) for each in page.context.cookies(house.url)}


@behind
def test_the_cookie_of_one_is_never_good_at_the_other(
    new_house: NewHouse, new_page: NewPage, is_secure: bool
) -> None:
    name = f"a{uuid4().hex[:12]}"
    above = new_house(name, is_secure=is_secure)
    below = new_house(f"a.{name}", is_secure=is_secure)
    prefix = "__Host-" if is_secure else ""
    world, page = above.world, new_page(ignore_https_errors=True)
    mine, other = world.holder(f"app:query@{above.app.name}"), world.holder("app:query@*")
    enter(page, above, mine)
    assert cookies_at(page, below) == {}
    enter(page, below, other)
    is_in_as(page, above, mine)
    at_above, at_below = cookies_at(page, above), cookies_at(page, below)
    assert at_above.keys() == at_below.keys() == {prefix + VISIT, prefix + BROWSER}
    assert set(at_above.values()).isdisjoint(at_below.values())
    # Both have the one's cookies, at the other's host, in every order.
    for house, cookies in ((above, at_below), (below, at_above)):
        for shown in (cookies, dict(reversed(cookies.items()))):
            page.context.clear_cookies()
            page.context.add_cookies(
                [
                    {"name": each, "value": value, "url": house.url, "secure": is_secure}
                    for each, value in shown.items()
                ]
            )
            page.goto(house.url)
            at_the_entrance(page, house)


@behind
def test_no_cookie_that_one_sets_makes_a_visitor_of_the_other_somebody_else(
    new_house: NewHouse, new_page: NewPage, is_secure: bool
) -> None:
    """Over https nothing happens. Over http, where there is no prefix, the visitor is asked again."""
    name = f"a{uuid4().hex[:12]}"
    above, below = new_house(name, is_secure=is_secure), new_house(f"a.{name}", is_secure=is_secure)
    world, domain = above.world, above.host.partition(":")[0]
    attacker, victim = world.holder("app:query@*"), world.holder("app:query@*")
    own = new_page(ignore_https_errors=True)
    enter(own, above, attacker)
    (planted,) = [value for each, value in cookies_at(own, above).items() if each.endswith(VISIT)]
    page = new_page(ignore_https_errors=True)
    enter(page, below, victim)
    enter(page, above, victim)
    names = [f"__Host-{VISIT}", f"\xa0__Host-{VISIT}", f"\x85__Host-{VISIT}", f"=__Host-{VISIT}", VISIT]
    secure = "; Secure" if is_secure else ""
    said = [
        f"{each}={planted}; Domain={domain}; Path={path}{secure}"
        for each in names
        for path in ("/", "/notes")
    ]
    page.goto(f"{below.url}/cookies?{as_query(said)}")
    expect(page.get_by_text("done")).to_be_visible()
    page.goto(f"{above.url}/notes")
    if is_secure:
        expect(page.locator("#who")).to_have_text(f"role:{victim.role}")
    else:
        at_the_entrance(page, above)
    # The app above does not hear of what its neighbour wrote, nor does the one below.
    for house in (above, below):
        page.goto(f"{house.url}/headers")
        assert planted not in page.content()


def as_query(said: list[str]) -> str:
    """Byte by byte."""
    return "&".join("set=" + "".join(f"%{byte:02x}" for byte in each.encode()) for each in said)
