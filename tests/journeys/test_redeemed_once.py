"""Fifty at once, at two hosts that share PostgreSQL alone: what is good once is so at both together."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlmodel import func, select

from issuer.authentication import client_assertion
from issuer.grants.device_code import NAME as DEVICE_GRANT
from issuer.store.tables import UserGrant
from keys.signing_key import SigningKey
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


def begin(app: App) -> dict[str, str]:
    """A device that waits."""
    answer = app.world.nobody.post("/v1/device", data={"client_id": app.client_id, "scope": "data:get@*"})
    return dict(answer.json())


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


def test_one_device_code(worlds: list[World]) -> None:
    app = register(worlds[0])
    begun = begin(app)
    with signed_in(worlds[1].issuer, "admin") as browser:
        browser.get("/device")
        browser.send("/device", {"user_code": begun["user_code"]})
        assert browser.send("/device/decision", {"decision": "allow"}).status_code == 200
    form = {"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]}
    came = at_once(worlds, lambda world: app.ask(form, world))
    assert came == {(200, ""): 1, (400, "invalid_grant"): AT_ONCE - 1}
    assert count_sign_ins(worlds[1], app) == 0, "who came second ended what the first had got"


def test_one_interval(worlds: list[World]) -> None:
    """The row has it, so that a device gains nothing by asking at the other host."""
    app = register(worlds[0])
    form = {"grant_type": DEVICE_GRANT, "device_code": begin(app)["device_code"]}
    heard = [app.ask(form, world).json()["error"] for world in (*worlds, *worlds)]
    assert heard == ["authorization_pending", *["slow_down"] * 3]


def test_one_client_assertion(worlds: list[World]) -> None:
    here, role, key = worlds[0], worlds[0].role("data:get@*"), SigningKey.generate("ES256")
    app = register(
        here, role=role, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.public_jwk]}
    )
    claims = {"iss": app.client_id, "sub": app.client_id, "aud": here.url, "jti": "once"}
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": client_assertion.TYPE,
        "client_assertion": key.sign(json.dumps(claims | {"exp": int(time.time()) + 60}).encode(), "JWT"),
    }
    came = at_once(worlds, lambda world: world.nobody.post("/v1/token", data=form))
    assert came == {(200, ""): 1, (401, "invalid_client"): AT_ONCE - 1}
