"""Passkeys, as an authenticator that may lie sends them. tests/browser has the real ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest

from issuer.browser import Browser as Asking
from issuer.signing_in import challenges
from tests.authenticator import PRESENT, Authenticator
from tests.browsers import Browser
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made, open_world
from tests.running_issuer import free_port

HASH_KEY = b"k" * 32
NOW = 1_800_000_000
Lie = Callable[[Authenticator], dict[str, str]]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """At a name: passkeys are for hosts that have one."""
    port = str(free_port())
    settings = {"HOURMARKD_PORT": port, "HOURMARKD_ISSUER": f"http://localhost:{port}"}
    with open_world(tmp_path_factory.mktemp("passkeys"), **settings) as opened:
        yield opened


@pytest.fixture
def authenticator(world: World) -> Authenticator:
    return Authenticator(world.url, "localhost")


def options(browser: Browser, path: str) -> str:
    assert browser.get(path).status_code == 200
    found = re.search(r'data-passkey="([^"]*)"', browser.page)
    assert found is not None
    return unescape(found[1])


def register(browser: Browser, authenticator: Authenticator, **lies: str) -> int:
    credential = authenticator.register(options(browser, "/account/passkeys"), **lies)
    return browser.send("/account/passkeys", {"credential": credential, "name": "blue"}).status_code


def sign_in(browser: Browser, authenticator: Authenticator, **lies: str) -> int:
    credential = authenticator.sign_in(options(browser, "/login"), **lies)
    return browser.send("/login", {"credential": credential}).status_code


def elsewhere(authenticator: Authenticator) -> dict[str, str]:
    del authenticator
    return {"origin": "https://evil.example"}


def for_another_host(authenticator: Authenticator) -> dict[str, str]:
    authenticator.host = "evil.example"
    return {}


def without_its_user(authenticator: Authenticator) -> dict[str, str]:
    authenticator.flags = PRESENT
    return {}


def without_anybody(authenticator: Authenticator) -> dict[str, str]:
    authenticator.flags = 0
    return {}


def of_another_kind(authenticator: Authenticator) -> dict[str, str]:
    del authenticator
    return {"type": "payment.get"}


def with_its_own_challenge(authenticator: Authenticator) -> dict[str, str]:
    del authenticator
    return {"challenge": "A" * 75}


LIES: list[Lie] = [
    *(elsewhere, for_another_host, without_its_user, without_anybody, of_another_kind, with_its_own_challenge)
]


def test_a_passkey_signs_in_by_itself(
    world: World, browser: Browser, signed_in: NewBrowser, user: str, authenticator: Authenticator
) -> None:
    assert register(signed_in(), authenticator) == 303
    for _ in range(2):
        authenticator.sign_count += 1
        answer = browser.send("/login", {"credential": authenticator.sign_in(options(browser, "/login"))})
        assert (answer.status_code, world.line(answer)["signed_in"]) == (303, "pop user mfa")
    assert user in browser.get("/").text


@pytest.mark.parametrize("lie", LIES)
def test_what_a_real_one_never_sends_registers_nothing(
    signed_in: NewBrowser, authenticator: Authenticator, lie: Lie
) -> None:
    browser = signed_in()
    assert register(browser, authenticator, **lie(authenticator)) == 400
    assert "could not be used" in browser.page
    assert "blue" not in browser.get("/").text


@pytest.mark.parametrize("lie", LIES)
def test_what_a_real_one_never_sends_opens_nothing(
    browser: Browser, signed_in: NewBrowser, authenticator: Authenticator, lie: Lie
) -> None:
    assert register(signed_in(), authenticator) == 303
    assert sign_in(browser, authenticator, **lie(authenticator)) == 400
    assert browser.get("/").status_code == 303


def test_a_copy_is_noticed_by_its_count(
    browser: Browser, signed_in: NewBrowser, authenticator: Authenticator
) -> None:
    assert register(signed_in(), authenticator) == 303
    authenticator.sign_count = 5
    assert sign_in(browser, authenticator) == 303
    authenticator.sign_count = 4
    assert sign_in(browser, authenticator) == 400


def test_one_answer_signs_in_once(
    browser: Browser, signed_in: NewBrowser, authenticator: Authenticator
) -> None:
    assert register(signed_in(), authenticator) == 303
    authenticator.sign_count = 1
    credential = authenticator.sign_in(options(browser, "/login"))
    cookies, form = dict(browser.cookies), browser.hidden()
    assert browser.send("/login", form | {"credential": credential}).status_code == 303
    browser.cookies = cookies
    assert browser.send("/login", form | {"credential": credential}).status_code == 400


def test_another_browsers_challenge_and_another_purposes_are_worth_nothing(
    world: World, browser: Browser, signed_in: NewBrowser, authenticator: Authenticator
) -> None:
    own = signed_in()
    assert register(own, authenticator) == 303
    with Browser(world.url) as other:
        stolen = authenticator.sign_in(options(other, "/login"))
    browser.get("/login")
    assert browser.send("/login", {"credential": stolen}).status_code == 400
    asked = options(own, "/account/passkeys")
    assert own.send("/login", {"credential": authenticator.sign_in(asked)}).status_code == 400


def test_nobodys_passkey_and_no_passkey_at_all(
    browser: Browser, signed_in: NewBrowser, authenticator: Authenticator
) -> None:
    unknown = Authenticator(authenticator.origin, authenticator.host, b"1")
    assert sign_in(browser, unknown) == 400
    assert register(signed_in(), authenticator) == 303
    authenticator.user_handle = b"1"
    assert sign_in(browser, authenticator) == 400, "the first user's, it says"
    for junk in (
        "{}",
        "[]",
        "null",
        "x",
        '{"id": 1}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
    ):
        browser.get("/login")
        assert browser.send("/login", {"credential": junk}).status_code == 400


def test_a_passkey_belongs_to_one_user(
    world: World, user: str, signed_in: NewBrowser, authenticator: Authenticator
) -> None:
    other = f"{user}-other"
    made(world.admin.post("/v1/users", json={"name": other}))
    assert register(signed_in(), authenticator) == 303
    theirs = signed_in(user=other)
    assert register(theirs, authenticator) == 409
    theirs.get("/session")
    form = {"id": authenticator.credential_id.hex()}
    assert theirs.send("/account/passkeys/remove", form).status_code == 404


def test_who_is_deleted_or_disabled_has_none(
    world: World, user: str, browser: Browser, signed_in: NewBrowser, authenticator: Authenticator
) -> None:
    assert register(signed_in(), authenticator) == 303
    world.admin.post(f"/v1/users/{user}/disable").raise_for_status()
    assert sign_in(browser, authenticator) == 400
    world.admin.post(f"/v1/users/{user}/enable").raise_for_status()
    assert sign_in(browser, authenticator) == 303
    world.admin.delete(f"/v1/users/{user}").raise_for_status()
    assert browser.get("/").status_code == 303
    assert sign_in(browser, authenticator) == 400


@pytest.mark.parametrize(
    ("csrf", "purpose", "seconds", "is_good"),
    [
        ("a", "sign in", 0, True),
        ("a", "sign in", 299, True),
        ("a", "sign in", 300, False),
        ("b", "sign in", 0, False),
        ("a", "register 1", 0, False),
    ],
)
def test_a_challenge_lasts_five_minutes_for_one_browser_and_purpose(
    csrf: str, purpose: str, seconds: int, *, is_good: bool
) -> None:
    challenge = challenges.make(Asking(None, "a"), "sign in", HASH_KEY, NOW)
    asking = Asking(None, csrf)
    assert challenges.is_good(challenge, asking, purpose, HASH_KEY, NOW + seconds) is is_good
    assert not challenges.is_good(challenge[:-1], asking, purpose, HASH_KEY, NOW)
    assert not challenges.is_good(b"", asking, purpose, HASH_KEY, NOW)
    later = challenge[:16] + (NOW + 9999).to_bytes(8, "big") + challenge[24:]
    assert not challenges.is_good(later, asking, purpose, HASH_KEY, NOW)
