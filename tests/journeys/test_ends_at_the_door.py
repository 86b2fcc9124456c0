"""An API token is renewed or deleted: what it opened at an app is closed, whichever process is asked."""

from __future__ import annotations

import time
from itertools import cycle

import httpx

from tests import doors
from tests.browsers import Browser
from tests.doors import Door, api_token
from tests.issuer.http.door.visitors import Visitor
from tests.issuer.http.world import World
from tests.journeys.client import seconds_until
from tests.journeys.conftest import Measured
from tests.journeys.workers import Worker, every_worker
from tests.running_issuer import RunningIssuer

PROMISED = 1.0
"""Seconds until every process knows."""
TIMES = 6
_PATIENCE = 10.0


def test_what_a_token_opened_is_closed_by_every_process(
    hosts: list[RunningIssuer], measured: Measured
) -> None:
    """The browser that came in by it, the token itself, and what it was exchanged for: known everywhere."""
    slowest = {"renew": 0.0, "delete": 0.0}
    with (
        every_worker(*hosts) as workers,
        hosts[0].http() as admin,
        hosts[0].http("") as nobody,
        Browser(hosts[0].url) as browser,
    ):
        world = World(hosts[0], admin, nobody)
        door = doors.door(world)
        for worker, end, _ in zip(cycle(workers), cycle(slowest), range(TIMES), strict=False):
            token = api_token(world)
            visitor = Visitor(door, browser)
            visitor.arrive(visitor.enter(token["token"]))
            shown = ways(world, visitor, token["token"])
            seconds_until(lambda shown=shown: all(opens(each, door, shown) == {200} for each in workers))  # type: ignore[misc]
            path = f"/v1/tokens/{token['id']}"
            done = worker.ask("POST", f"{path}/renew") if end == "renew" else worker.ask("DELETE", path)
            assert done.is_success
            slowest[end] = max(slowest[end], seconds_until_closed(workers, door, shown))
    for end, took in slowest.items():
        measured(
            f"the slowest of {TIMES // 2} at the door, {end}, at the last of {len(workers)} processes", took
        )
    assert max(slowest.values()) < PROMISED


def ways(world: World, visitor: Visitor, token: str) -> list[dict[str, str]]:
    access, _, secret = token.partition(":")
    form = {"grant_type": "client_credentials"}
    exchanged = world.nobody.post("/v1/token", auth=(access, secret), data=form).json()["access_token"]
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    # A worker is asked as administrator otherwise.
    return [
        {"Cookie": cookies, "Authorization": ""},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {exchanged}"},
    ]


def opens(worker: Worker, door: Door, ways: list[dict[str, str]]) -> set[int]:
    return {ask(worker, door, shown).status_code for shown in ways}


def ask(worker: Worker, door: Door, shown: dict[str, str]) -> httpx.Response:
    return worker.ask("GET", "/v1/forward-auth", headers=door.says() | shown)


def seconds_until_closed(workers: list[Worker], door: Door, ways: list[dict[str, str]]) -> float:
    """When the last question was asked that was answered by a refusal."""
    began, last = time.monotonic(), 0.0
    asked = [(worker, shown) for shown in ways for worker in workers]
    while asked:
        for worker, shown in list(asked):
            at = time.monotonic() - began
            assert at < _PATIENCE, "what was opened is open still"
            if ask(worker, door, shown).status_code == httpx.codes.UNAUTHORIZED:
                asked.remove((worker, shown))
                last = at
        time.sleep(0.002)
    return last
