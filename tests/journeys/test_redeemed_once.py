"""Fifty at once, at two hosts that share PostgreSQL alone: a code, and a refresh token, are good once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlmodel import func, select

from issuer.store.tables import UserGrant
from tests.browsers import inside, signed_in
from tests.clients import App, register
from tests.issuer.http.cases import case
from tests.issuer.http.world import World
from tests.postgresql import PostgresServer
from tests.running_issuer import start_issuer

AT_ONCE = 50


@pytest.fixture(scope="module")
def worlds(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[World]]:
    folder: Path = tmp_path_factory.mktemp("redeemed-once")
    with ExitStack() as stack:
        here = stack.enter_context(
            start_issuer(folder, HOURMARKD_DATABASE_URL=postgres_server.create_database())
        )
        hosts = [here, stack.enter_context(here.another())]
        yield [
            World(host, stack.enter_context(host.http()), stack.enter_context(host.http("")))
            for host in hosts
        ]


def at_once(worlds: list[World], ask: Callable[[World], httpx.Response]) -> Counter[tuple[int, str]]:
    """What came of fifty requests, half of them at each host."""
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(ask, worlds * (AT_ONCE // len(worlds))))
    return Counter((answer.status_code, answer.json().get("error", "")) for answer in answers)


def count_sign_ins(world: World, app: App) -> int:
    with inside(world.issuer) as there, there.database.read() as reading:
        return reading.exec(
            select(func.count()).where(UserGrant.client_id == app.client_id, UserGrant.kind == "sign-in")
        ).one()


@case("ac-race", "1x200, 49x400", "invalid_grant")
def test_one_code(worlds: list[World]) -> None:
    app = register(worlds[0])
    with signed_in(worlds[0].issuer, "admin") as browser:
        code = app.code(browser, scope="data:get@* offline_access")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": app.verifier,
    }
    came = at_once(worlds, lambda world: app.ask(form, world))
    assert came == {(200, ""): 1, (400, "invalid_grant"): AT_ONCE - 1}
    assert count_sign_ins(worlds[1], app) == 0, "who came second ended what the first had got"


@case("rf-race", "1x200", "invalid_grant")
def test_one_refresh_token(worlds: list[World]) -> None:
    app = register(worlds[0])
    with signed_in(worlds[0].issuer, "admin") as browser:
        token = app.sign_in(browser, scope="data:get@* offline_access")["refresh_token"]
    assert count_sign_ins(worlds[1], app) == 1
    form = {"grant_type": "refresh_token", "refresh_token": token}
    came = at_once(worlds, lambda world: app.ask(form, world))
    assert came == {(200, ""): 1, (400, "invalid_grant"): AT_ONCE - 1}
    assert count_sign_ins(worlds[1], app) == 0
