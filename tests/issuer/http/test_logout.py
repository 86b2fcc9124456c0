"""Signing out of a browser ends what began there, but for what was to last longer."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.browsers import Browser
from tests.clients import as_oneself, register
from tests.issuer.http.test_device import begin, decide, poll
from tests.issuer.http.world import World

SHORT, LASTING = "openid data:get@*", "openid data:get@* offline_access"


def sign_out(browser: Browser, **asked: str) -> None:
    answer = browser.get(f"/logout?{urlencode(asked)}")
    if answer.status_code == 200 and "csrf" in answer.text:
        assert browser.send("/logout", asked).status_code in (200, 303)


def is_alive(world: World, tokens: dict[str, str]) -> bool:
    return world.is_active(tokens["access_token"])


def test_by_oneself(world: World, browser: Browser) -> None:
    short, lasting = register(world), register(world)
    ends, stays = short.sign_in(browser, scope=SHORT), lasting.sign_in(browser, scope=LASTING)
    oneself = as_oneself(world, browser)
    sign_out(browser)
    assert (is_alive(world, ends), is_alive(world, stays)) == (False, True)
    assert lasting.refresh(stays["refresh_token"]).status_code == 200
    assert world.nobody.get("/v1/me", headers=oneself).status_code == 401


@pytest.mark.parametrize("scope", [SHORT, LASTING])
def test_because_a_client_asks(world: World, browser: Browser, scope: str) -> None:
    app, other = register(world), register(world)
    tokens, stays = app.sign_in(browser, scope=scope), other.sign_in(browser, scope=LASTING)
    sign_out(browser, id_token_hint=tokens["id_token"])
    assert (is_alive(world, tokens), is_alive(world, stays)) == (False, True)


def test_proving_it_again_ends_nothing(world: World, browser: Browser, ada: str) -> None:
    app = register(world)
    before = app.sign_in(browser, scope=SHORT)
    password = "correct horse battery"
    made = world.admin.post(f"/v1/users/{ada}/invitations", json={}).json()["url"]
    browser.get(made.removeprefix(world.url))
    # The set-up link signs out everywhere, so that it is done first.
    assert browser.send("/setup", {"password": password, "again": password}).status_code == 303
    assert not is_alive(world, before)
    tokens = app.sign_in(browser, scope=SHORT)
    browser.get("/login")
    assert browser.send("/login", {"user": ada, "password": password}).status_code == 303
    assert is_alive(world, tokens)
    sign_out(browser)
    assert not is_alive(world, tokens)


def test_what_waits_to_be_redeemed_waits_on(world: World, browser: Browser, ada: str) -> None:
    """A code, and a device that was approved, when the user proves again who it is."""
    password = "correct horse battery"
    made = world.admin.post(f"/v1/users/{ada}/invitations", json={}).json()["url"]
    browser.get(made.removeprefix(world.url))
    browser.send("/setup", {"password": password, "again": password})
    app = register(world)
    code, begun = app.code(browser), begin(app)
    decide(browser, begun["user_code"], "allow")
    browser.get("/login")
    assert browser.send("/login", {"user": ada, "password": password}).status_code == 303
    assert app.redeem(code).status_code == 200
    assert poll(app, begun["device_code"])[0] == 200
