"""Somebody at a terminal signs in with `hourmark login`, and with a real browser beside it or elsewhere."""

from __future__ import annotations

import json
import platform
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_people import PASSWORD, set_up, sign_out
from tests.browsers import count_refreshes
from tests.issuer.http.world import World, bearer, made, until
from tests.journeys.terminal import Screen

CODE = re.compile(r"type the code ([A-Z]{4}-[A-Z]{4})\n")
CTRL_C = "\x03"


@pytest.fixture
def environment(world: World, tmp_path: Path) -> dict[str, str]:
    """The browser that it has writes down what it should open."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/new && mv {tmp_path}/new {tmp_path}/asked\n')
    browser.chmod(0o700)
    return {
        "HOURMARK_URL": world.url,
        "BROWSER": str(browser),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "SSH_CONNECTION": "",
        "SSH_TTY": "",
    }


@pytest.fixture
def screen(environment: dict[str, str], tmp_path: Path) -> Iterator[Screen]:
    with Screen(tmp_path, **environment) as opened:
        yield opened


@pytest.fixture
def screen_from_afar(environment: dict[str, str], tmp_path: Path) -> Iterator[Screen]:
    """As sshd makes it."""
    with Screen(tmp_path, **environment | {"SSH_CONNECTION": "203.0.113.7 50000 203.0.113.8 22"}) as opened:
        yield opened


@pytest.fixture
def person(page: Page, user: str, link: str) -> str:
    """A user with a password, who is signed in nowhere."""
    set_up(page, link)
    sign_out(page)
    return user


def choose_the_browser(screen: Screen) -> None:
    screen.type("hourmark login\n")
    assert "create a new API token in the browser" in screen.until("Choose [2]: ")
    screen.type("2\n")


def what_it_opens(folder: Path) -> str:
    asked = folder / "asked"
    until(asked.exists)
    return asked.read_text().strip()


def prove_who_it_is(page: Page, user: str) -> None:
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_from_the_menu_to_the_sign_out(
    world: World, screen: Screen, tmp_path: Path, page: Page, person: str
) -> None:
    choose_the_browser(screen)
    page.goto(what_it_opens(tmp_path))
    prove_who_it_is(page, person)
    expect(page.get_by_role("heading", name="Sign in to the Hourmark command line?")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    expect(page.get_by_text("You can close this page")).to_be_visible()
    done = screen.ends()
    assert done.code == 0, done.shown
    assert f"Signed in as {person} in {httpx.URL(world.url).netloc.decode()}\n" in done.shown
    (kept,) = (tmp_path / "config").rglob("*.sign-in")
    assert f"no keyring here: the sign-in is kept in {kept}" in done.shown
    assert kept.stat().st_mode & 0o777 == 0o600

    me = screen.run('curl -sf -o me -H "$(hourmark login token -H)" "$HOURMARK_URL/v1/me"')
    assert (me.code, json.loads((tmp_path / "me").read_text())["principal"]) == (0, f"user:{person}")
    status = screen.run("hourmark status")
    assert (status.code, f"kept in:    {kept}\n" in status.shown) == (0, True)

    # At 80 % of its life a token is old; of two who see it, one has it refreshed.
    aged = json.loads(kept.read_text())
    first = [token["access_token"] for token in aged["tokens"].values()]
    for token in aged["tokens"].values():
        token["issued_at"] -= 4 * 3600
    kept.write_text(json.dumps(aged))
    before = count_refreshes(world.issuer)
    screen.run("hourmark login token >one & hourmark login token >two & wait")
    one, two = ((tmp_path / name).read_text().strip() for name in ("one", "two"))
    assert (one == two, one in first, count_refreshes(world.issuer) - before) == (True, False, 1)
    assert world.nobody.get("/v1/me", headers=bearer(one)).status_code == 200

    refresh_token = json.loads(kept.read_text())["refresh_token"]
    out = screen.run("hourmark logout")
    assert (out.code, "Signed out" in out.shown, kept.exists()) == (0, True, False)
    assert world.nobody.get("/v1/me", headers=bearer(one)).status_code == 401
    form = {"grant_type": "refresh_token", "client_id": "hourmark-cli", "refresh_token": refresh_token}
    assert world.nobody.post("/v1/token", data=form).json()["error"] == "invalid_grant"
    after = screen.run("hourmark login token")
    assert (after.code, "try: hourmark login" in after.shown) == (4, True)


def test_with_an_api_token_that_is_made_in_the_browser(
    world: World, screen: Screen, tmp_path: Path, page: Page, person: str
) -> None:
    role = world.role("app:query@*", "job:query@*")
    made(world.admin.post(f"/v1/users/{person}/roles", json={"role": role}))
    screen.type("hourmark login\n")
    screen.until("Choose [2]: ")
    screen.type("1\n")
    page.goto(what_it_opens(tmp_path))
    prove_who_it_is(page, person)
    expect(page.get_by_label("Name", exact=True)).to_have_value(f"hourmark on {platform.node()}")
    page.get_by_label("Read").check()
    page.get_by_role("button", name="Make API token").click()
    token = page.get_by_label("API token").input_value()
    assert "it is not shown" in screen.until("Role key: ")
    screen.type(f"{token}\n")
    done = screen.ends()
    assert (done.code, f"Signed in as {person} in" in done.shown) == (0, True)
    assert token not in done.shown
    who = screen.run("hourmark whoami --field scope")
    assert (who.code, who.shown.splitlines()[-1]) == (0, "app:query@* job:query@*")


def test_denied_in_the_browser(screen: Screen, tmp_path: Path, page: Page, person: str) -> None:
    choose_the_browser(screen)
    page.goto(what_it_opens(tmp_path))
    prove_who_it_is(page, person)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="You were not signed in")).to_be_visible()
    done = screen.ends()
    assert (done.code, "Error: You were not signed in" in done.shown) == (4, True)
    assert not [*(tmp_path / "config").rglob("*.sign-in")]


@pytest.mark.parametrize(
    ("button", "heading", "code", "said"),
    [("Allow", "Approved", 0, "Signed in as {0} in"), ("Deny", "Denied", 4, "Error: You were not signed in")],
)
def test_from_afar(
    screen_from_afar: Screen, page: Page, person: str, *, button: str, heading: str, code: int, said: str
) -> None:
    choose_the_browser(screen_from_afar)
    shown = CODE.search(screen_from_afar.until(CODE))
    assert shown is not None
    page.goto("/device")
    prove_who_it_is(page, person)
    page.get_by_label("Code").fill(shown[1])
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("hourmark/")).to_be_visible()
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    done = screen_from_afar.ends()
    assert (done.code, said.format(person) in done.shown) == (code, True), done.shown


@pytest.mark.parametrize("way", ["--web", "--device"])
def test_given_up_while_it_waits(screen: Screen, tmp_path: Path, way: str) -> None:
    screen.type(f"hourmark login {way}\n")
    screen.until("/authorize?" if way == "--web" else CODE)
    if way == "--web":
        what_it_opens(tmp_path)
    screen.type(CTRL_C)
    done = screen.ends()
    assert (done.code, "Traceback" in done.shown, "Interrupted" in done.shown) == (130, False, True)
    assert not (tmp_path / "config").exists()
    if way == "--web":  # nobody listens any more for what the browser brings
        back = httpx.URL(httpx.URL(what_it_opens(tmp_path)).params["redirect_uri"])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((back.host, back.port or 0))


def test_given_up_at_the_menu(screen: Screen) -> None:
    screen.type("hourmark login\n")
    screen.until("Choose [2]: ")
    screen.type(CTRL_C)
    assert screen.ends().code == 130
