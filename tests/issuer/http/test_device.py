"""The device grant: a device asks, somebody approves it in a browser (RFC 8628)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select

from issuer.store.tables import DeviceCode
from tests.browsers import Browser, inside, signed_in
from tests.clients import App, claims, command_line, register
from tests.issuer.http.cases import case
from tests.issuer.http.sockets import client_at
from tests.issuer.http.world import World, bearer, made

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def ada(world: World) -> str:
    return new_user(world)


def new_user(world: World) -> str:
    """One who holds a role that may get data."""
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
    return register(world, "data:get@*")


def begin(app: App, **form: str) -> dict[str, Any]:
    answer = app.world.nobody.post("/v1/device", data={"client_id": app.client_id, **form})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def poll(app: App, device_code: str) -> tuple[int, str]:
    answer = app.ask({"grant_type": GRANT, "device_code": device_code})
    return answer.status_code, answer.json().get("error", "")


def decide(browser: Browser, user_code: str, decision: str) -> str:
    browser.get(f"/device?user_code={user_code}")
    shown = browser.send("/device", {"user_code": user_code})
    assert shown.status_code == 200, shown.text
    done = browser.send("/device/decision", {"decision": decision})
    assert done.status_code == 200
    return shown.text


@case("dv-pending", "400", "authorization_pending")
@case("dv-reuse", "400", "invalid_grant")
def test_a_device_is_approved(world: World, app: App, browser: Browser, ada: str) -> None:
    begun = begin(app, scope="data:get@x openid offline_access")
    assert len(begun["user_code"]) == 9
    assert set(begun["user_code"].replace("-", "")) <= set("BCDFGHJKLMNPQRSTVWXZ")
    assert begun["verification_uri"] == f"{world.url}/device"
    assert poll(app, begun["device_code"]) == (400, "authorization_pending")
    page = decide(browser, begun["user_code"].lower().replace("-", " "), "allow")
    for said in (app.name, "get data x", "127.0.0.1", "python-httpx", begun["user_code"]):
        assert said in page
    answer = app.ask({"grant_type": GRANT, "device_code": begun["device_code"]}).json()
    assert {"access_token", "refresh_token", "id_token"} <= set(answer)
    me = world.nobody.get("/v1/me", headers=bearer(answer["access_token"])).json()
    assert (me["principal"], me["scope"]) == (f"user:{ada}", "data:get@x offline_access openid")
    assert poll(app, begun["device_code"]) == (400, "invalid_grant"), "it is good once"
    assert world.nobody.get("/v1/me", headers=bearer(answer["access_token"])).status_code == 401
    refreshed = app.refresh(answer["refresh_token"])
    assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")


def test_the_page_says_when_the_device_began(world: World, app: App, browser: Browser) -> None:
    begun = begin(app)
    with inside(world.issuer) as there, there.write("test") as tx:
        # A time of its own: neither now, nor what it expires at.
        row = tx.session.exec(
            select(DeviceCode).where(DeviceCode.user_code == begun["user_code"].replace("-", ""))
        ).one()
        row.created_at = 1_800_000_000
        tx.session.add(row)
    page = decide(browser, begun["user_code"], "deny")
    assert '<time datetime="2027-01-15T08:00:00Z">15 Jan 2027, 08:00 UTC</time>' in page


def test_its_tokens_say_when_and_how_the_user_signed_in(world: World, app: App, ada: str) -> None:
    """In the browser, and not when the device was approved."""
    signed_in_at = int(time.time()) - 1000
    with signed_in(world.issuer, ada, at=signed_in_at, methods=("pwd", "otp")) as browser:
        begun = begin(app, scope="data:get@x openid")
        decide(browser, begun["user_code"], "allow")
    answer = app.ask({"grant_type": GRANT, "device_code": begun["device_code"]}).json()
    said = claims(answer["id_token"])
    assert (said["auth_time"], said["amr"]) == (signed_in_at, ["pwd", "otp"])


@case("dv-denied", "400", "access_denied")
def test_denied(app: App, browser: Browser) -> None:
    begun = begin(app)
    decide(browser, begun["user_code"], "deny")
    assert poll(app, begun["device_code"]) == (400, "access_denied")


@pytest.mark.parametrize(
    ("room", "button"), [("/session", "Sign out everywhere"), ("/authorised-apps", "Withdraw")]
)
def test_what_its_user_ended_since(app: App, browser: Browser, room: str, button: str) -> None:
    begun = begin(app, scope="data:get@x offline_access")
    decide(browser, begun["user_code"], "allow")
    assert browser.press(button, on=room).status_code == 303
    assert poll(app, begun["device_code"]) == (400, "access_denied")
    assert poll(app, begun["device_code"]) == (400, "invalid_grant"), "it is used up"


def test_of_a_user_who_was_disabled_since(world: World, app: App, browser: Browser, ada: str) -> None:
    begun = begin(app)
    decide(browser, begun["user_code"], "allow")
    for change in ("disable", "enable"):
        assert world.admin.post(f"/v1/users/{ada}/{change}").status_code == 200
    assert poll(app, begun["device_code"]) == (400, "access_denied")


def test_a_device_that_asks_for_more_than_its_user_holds_gets_what_that_is(
    world: World, browser: Browser
) -> None:
    greedy = register(world, "data:*@*")
    begun = begin(greedy, scope="data:*@*")
    decide(browser, begun["user_code"], "allow")
    answer = greedy.ask({"grant_type": GRANT, "device_code": begun["device_code"]})
    assert (answer.status_code, answer.json().get("scope")) == (200, "data:get@*")


def test_polling_too_often_makes_the_interval_longer(app: App) -> None:
    begun = begin(app)
    assert begun["interval"] == 5
    asked = [poll(app, begun["device_code"]) for _ in range(3)]
    assert asked == [(400, "authorization_pending"), (400, "slow_down"), (400, "slow_down")]


@case("dv-otherclient", "400", "invalid_grant")
def test_another_clients_device_code(world: World, app: App) -> None:
    begun = begin(app)
    assert poll(register(world), begun["device_code"]) == (400, "invalid_grant")
    assert poll(app, "hmd_" + "0" * 38) == (400, "invalid_grant")


def test_nobody_signed_in_signs_in_first(world: World, app: App) -> None:
    begun = begin(app)
    with Browser(world.url) as stranger:
        answer = stranger.get(f"/device?user_code={begun['user_code']}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/device")


@case("dv-usercode-brute", "429", "none")
@pytest.mark.parametrize("same", ["user", "address"])
def test_wrong_codes_are_counted(world: World, same: str) -> None:
    """By address and by user: whoever guesses has five tries in the life of a code, all the places together,
    and so have all the users of one place.
    """
    user, answers = new_user(world), []
    for number in range(8):
        guesser = user if same == "user" else new_user(world)
        address = f"127.0.1.{number}" if same == "user" else "127.0.0.78"
        with signed_in(world.issuer, guesser) as browser, client_at(world.url, address) as there:
            browser.close()
            browser._http = there
            browser.get("/device")
            answers.append(browser.send("/device", {"user_code": "BBBB-BBBB"}))
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) > 0


def test_more_than_the_client_may_ask(world: World, app: App) -> None:
    for scope, error in {"job:get@*": "invalid_scope", "no@good@": "invalid_scope"}.items():
        answer = world.nobody.post("/v1/device", data={"client_id": app.client_id, "scope": scope})
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    answer = world.nobody.post("/v1/device", data={"client_id": "hma_nobody"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "headers"),
    [({"cnf": "{}"}, {}), ({"dpop_jkt": "x"}, {}), ({}, {"DPoP": "ey.ey.x"})],
)
def test_a_proof_of_possession_is_refused_clearly(
    app: App, form: dict[str, str], headers: dict[str, str]
) -> None:
    asked = {"client_id": app.client_id} | form
    answer = app.world.nobody.post("/v1/device", data=asked, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "proof of possession" in answer.json()["error_description"]


def test_too_many_that_wait_at_one_address(world: World, app: App) -> None:
    with client_at(world.url, "127.0.0.77") as crowd:
        statuses = {
            crowd.post("/v1/device", data={"client_id": app.client_id}).status_code for _ in range(51)
        }
    assert statuses == {200, 429}


def test_the_command_line_is_let_in_by_who_proved_it_a_moment_ago(world: World, ada: str) -> None:
    begun = begin(command_line(world))
    with signed_in(world.issuer, ada, at=int(time.time()) - 1000) as stale:
        stale.get("/device")
        answer = stale.send("/device", {"user_code": begun["user_code"]})
        assert answer.headers["location"].startswith("/login?next=/device")
        stale.get("/device")
        asked = {"user_code": begun["user_code"], "decision": "allow"}
        assert stale.send("/device/decision", asked).status_code == 400


def test_of_many_guesses_at_once_five_are_looked_at(world: World, ada: str) -> None:
    with signed_in(world.issuer, ada) as browser:
        browser.get("/device")
        form = browser.hidden() | {"user_code": "BBBB-BBBB"}
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

        def guess(_: int) -> int:
            headers = {"Cookie": cookies, "Origin": world.url}
            with client_at(world.url, "127.0.0.79") as there:
                return there.post("/device", data=form, headers=headers).status_code

        with ThreadPoolExecutor(20) as pool:
            assert sorted(pool.map(guess, range(20))) == [400] * 5 + [429] * 15
