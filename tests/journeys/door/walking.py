"""On foot into an app: a browser without a screen, at the app's host through its proxy and at the issuer."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx

from tests.browsers import Browser
from tests.journeys.door.conftest import House

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


def walk_in(house: House, credential: str) -> str:
    """The Cookie header of a browser that was let in."""
    with house.client(**PAGE) as client, Browser(house.world.url) as browser:
        led = client.get("/")
        browser.get(led.headers["location"].removeprefix(house.world.url))
        answer = browser.send("/enter/token", {"token": credential})
        arrived = client.get(
            answer.headers["location"].removeprefix(house.url), headers={"Cookie": _cookies(led)}
        )
    return _cookies(arrived)


def _cookies(answer: httpx.Response) -> str:
    """As a browser sends them that was answered so."""
    kept = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        kept.load(header)
    return "; ".join(f"{name}={each.value}" for name, each in kept.items())
