"""Forms that come when their session is over: nothing is done, and nothing that was typed is lost."""

from __future__ import annotations

import time

import pytest

from tests.browsers import Browser
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made


@pytest.fixture
def role(world: World, user: str) -> str:
    """One that the user may do everything with."""
    role = world.role()
    may = world.role(f"role:*@{role}", f"role-policy:*@{role}", f"role-key:*@{role}", "data:*@*")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": may}))
    return role


def policies(world: World, role: str) -> int:
    return len(world.admin.get(f"/v1/roles/{role}/policies").json()["items"])


def fill_in(browser: Browser, role: str) -> dict[str, str]:
    """Somebody typed a policy into the page of the role; returns what its form sends."""
    browser.get(f"/roles/{role}")
    version = {name: text for name, text in browser.hidden().items() if name in ("csrf", "version")}
    return version | {"permission": "data:get@my-set"}


def test_what_was_typed_before_the_session_ended_is_sent_after_the_next_sign_in(
    world: World, user: str, role: str, signed_in: NewBrowser
) -> None:
    browser, path = signed_in(), f"/roles/{role}/policies"
    typed = fill_in(browser, role)
    world.admin.delete(f"/v1/users/{user}/sign-ins").raise_for_status()
    kept = browser.send(path, typed)
    assert (kept.status_code, "You are signed out" in kept.text) == (403, True)
    assert "data:get@my-set</dd>" in kept.text.replace("<wbr>", "")
    assert browser.press("Send it again").status_code == 403, "still nobody is signed in"
    browser.cookies |= signed_in().cookies
    again = browser.press("Send it again")
    assert (again.status_code, "as <strong>Ada Lovelace</strong>" in again.text) == (403, True)
    assert policies(world, role) == 0
    assert browser.press("Send it again").headers["location"] == f"/roles/{role}#policies"
    assert policies(world, role) == 1


def test_what_asks_for_a_fresh_proof_is_kept_meanwhile(role: str, signed_in: NewBrowser) -> None:
    browser, path = signed_in(at=int(time.time()) - 600), f"/roles/{role}/keys/new"
    browser.get(f"/roles/{role}")
    kept = browser.send(path, {"name": "in CI", "scope": "", "expires": "7"})
    assert (kept.status_code, "Confirm that it is you" in kept.text) == (403, True)
    browser.cookies |= signed_in().cookies
    assert browser.get("/signed-in").status_code == 200
    browser.page = kept.text
    assert browser.press("Send it again").status_code == 403
    shown = browser.press("Send it again")
    assert (shown.status_code, "it is shown this once" in shown.text) == (200, True)


def test_a_grace_that_was_chosen_is_kept_meanwhile(world: World, role: str, signed_in: NewBrowser) -> None:
    browser, key = signed_in(at=int(time.time()) - 600), world.key(role)
    kept = browser.press("Renew", {"grace": "604800"}, on=f"/roles/{role}/keys/{key.access}")
    assert (kept.status_code, "Confirm that it is you" in kept.text) == (403, True)
    assert "<dt>The old secret ends</dt><dd>in a week</dd>" in kept.text
    browser.cookies |= signed_in().cookies
    browser.press("Send it again")
    assert "it is shown this once" in browser.press("Send it again").text
    assert world.nobody.get("/v1/me", headers=key.bearer).status_code == 200, "the old one is still good"


@pytest.mark.parametrize("origin", ["http://evil.example", ""])
def test_nothing_of_a_stranger_is_kept(role: str, signed_in: NewBrowser, origin: str) -> None:
    browser = signed_in()
    typed = fill_in(browser, role) | {"csrf": "of another page"}
    answer = browser.send(f"/roles/{role}/policies", typed, Origin=origin)
    assert (answer.status_code, "Send it again" in answer.text) == (403, False)


def test_a_secret_is_in_no_second_answer(world: World, role: str, signed_in: NewBrowser) -> None:
    browser, secret = signed_in(), world.key(role).text
    browser.get("/session")
    answer = browser.send("/tokens/env", {"secret": secret, "csrf": "of another page"})
    assert (answer.status_code, secret in answer.text) == (403, False)
