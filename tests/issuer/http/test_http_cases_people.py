"""The shared request cases of people and apps that need more than a request: time, a forger, two browsers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import uuid4

import orjson
import pytest
from sqlmodel import SQLModel, select, update

from issuer.store import signing_keys, user_grants, users
from issuer.store.tables import AuthorizationCode, DeviceCode
from tests.browsers import Browser, inside, signed_in
from tests.clients import App, claims, register, returned
from tests.issuer.http.cases import case
from tests.issuer.http.test_device import begin, poll
from tests.issuer.http.test_token_exchange import exchange
from tests.issuer.http.world import World, made
from verifier.claims import TYP


@pytest.fixture
def ada(world: World) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("data:get@*")}))
    return name


@pytest.fixture
def browser(world: World, ada: str) -> Iterator[Browser]:
    with signed_in(world.issuer, ada) as opened:
        yield opened


@pytest.fixture
def app(world: World) -> App:
    return register(world)


def let_expire(world: World, table: type[SQLModel], client_id: str) -> None:
    """As if its time had passed."""
    with inside(world.issuer) as there, there.write("tests") as tx:
        tx.session.execute(
            update(table).where(table.client_id == client_id).values(expires_at=int(time.time()) - 1)  # type: ignore[attr-defined]
        )


@case("ac-expired", "400", "invalid_grant")
def test_a_code_of_more_than_a_minute_ago(world: World, app: App, browser: Browser) -> None:
    code = app.code(browser)
    let_expire(world, AuthorizationCode, app.client_id)
    answer = app.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@case("dv-expired", "400", "expired_token")
def test_a_device_that_nobody_approved(world: World, app: App) -> None:
    begun = begin(app)
    let_expire(world, DeviceCode, app.client_id)
    assert poll(app, begun["device_code"]) == (400, "expired_token")


@case("dv-slow", "400", "slow_down")
def test_a_device_that_asks_too_often(world: World, app: App) -> None:
    """The interval is in the row, so that it holds for every process."""
    begun = begin(app)
    poll(app, begun["device_code"])
    assert poll(app, begun["device_code"]) == (400, "slow_down")
    with inside(world.issuer) as there, there.database.read() as reading:
        row = reading.exec(select(DeviceCode).where(DeviceCode.client_id == app.client_id)).one()
        assert row.interval == begun["interval"] + 5


@case("rf-client", "400", "invalid_grant")
def test_a_refresh_token_of_another_client(world: World, app: App, browser: Browser) -> None:
    tokens = app.sign_in(browser, scope="offline_access data:get@*")
    answer = register(world).refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert app.refresh(tokens["refresh_token"]).status_code == 200, "it is its own client's still"


@case("az-loopback-port", "302")
def test_a_native_client_comes_back_to_any_port(world: World, browser: Browser) -> None:
    app = register(world, redirect_uris=["http://127.0.0.1/cb"])
    app.redirect_uri = "http://127.0.0.1:49152/cb"
    assert app.redeem(app.code(browser)).status_code == 200


@case("az-iss", "302")
def test_every_answer_names_who_answers(world: World, app: App, browser: Browser) -> None:
    state = "ä %20+&=/\"'"
    browser.get(app.target(state=state))
    good = returned(browser.send("/consent", {"decision": "allow"}))
    bad = returned(browser.get(app.target(state=state, response_type="token")))
    assert {(each["iss"], each["state"]) for each in (good, bad)} == {(world.url, state)}


@case("az-clickjack", "200")
def test_no_page_is_framed_and_none_tells_where_it_was(app: App, browser: Browser) -> None:
    for path in ("/login", app.target(), "/device", "/"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
    back = browser.get(app.target(prompt="none", scope="data:get@*"))
    assert back.headers["referrer-policy"] == "no-referrer"


@case("ob-aud", "400", "invalid_request")
def test_a_subject_token_for_somebody_who_is_not_known_here(world: World, browser: Browser) -> None:
    app = register(world)
    token = app.sign_in(browser)["access_token"]
    with inside(world.issuer) as there, there.database.read() as reading:
        keys = signing_keys.open_keys(reading, there.kek)
    elsewhere = claims(token) | {"aud": "https://elsewhere.example"}
    signer = next(iter(keys.values()))
    status, answer = exchange(app, signer.sign(orjson.dumps(elsewhere), TYP))
    assert (status, answer["error"]) == (400, "invalid_request")


@case("cs-idor", "404", "none")
def test_what_is_another_users_is_not_there(world: World, ada: str) -> None:
    other = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": other}))
    with signed_in(world.issuer, ada) as mine, signed_in(world.issuer, other) as theirs:
        theirs.get("/session")
        with inside(world.issuer) as there, there.database.read() as reading:
            (row,) = user_grants.of_user(reading, users.get(reading, other).principal)
        mine.get("/session")
        assert mine.send(f"/session/sign-ins/{row.id}/end").status_code == 404
        assert theirs.get("/").status_code == 200
