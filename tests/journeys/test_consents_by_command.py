"""A user sees by the command line which apps act for them and where they are signed in, and ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from tests.browsers import Browser, signed_in
from tests.clients import command_line, register
from tests.issuer.http.world import World, made
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Terminal


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


@dataclass
class Person:
    """A user with a browser, and a terminal where they are signed in too."""

    name: str
    browser: Browser = field(repr=False)
    terminal: Terminal = field(repr=False)


@pytest.fixture
def ada(world: World, tmp_path: Path) -> Iterator[Person]:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("data:get@*")}))
    with ExitStack() as stack:
        browser = stack.enter_context(signed_in(world.issuer, name))
        token = command_line(world).sign_in(browser, scope="*", resource=world.url)["access_token"]
        terminal = Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=token)
        yield Person(name, browser, stack.enter_context(terminal))


@pytest.fixture
def admin(world: World, tmp_path: Path) -> Iterator[Terminal]:
    home = tmp_path / "admin"
    home.mkdir()
    with Terminal(home, HOURMARK_URL=world.url, HOURMARK_TOKEN=world.issuer.admin_key) as opened:
        yield opened


def test_an_app_is_let_and_let_no_more(world: World, ada: Person) -> None:
    app = register(world)
    token = app.sign_in(ada.browser, scope="data:get@x")["access_token"]
    (consent,) = ada.terminal.json("hourmark consent list -o json")
    assert (consent["app"], consent["owner"], consent["scope"]) == (app.name, "user:admin", "data:get@x")
    number = ada.terminal("hourmark consent list --field id").strip()
    withdrawn = ada.terminal.run(f"hourmark consent delete {number} --field withdrawn")
    assert (withdrawn.code, withdrawn.out) == (0, f"{number}\n")
    assert "asks again" in withdrawn.err
    assert not world.is_active(token)
    assert ada.terminal.run("hourmark consent list").err == "There is none.\n"
    assert ada.terminal(f"hourmark consent delete {number} --field withdrawn").strip() == number


def test_a_user_is_signed_out_at_one_place_and_then_everywhere(world: World, ada: Person) -> None:
    app = register(world)
    token = app.sign_in(ada.browser)["access_token"]
    listed = f"hourmark user sign-ins {ada.name}"
    (number,) = (each["id"] for each in ada.terminal.json(f"{listed} -o json") if each["name"] == app.name)
    assert ada.terminal(f"{listed} --field is_here").split() == ["false", "true", "false"]
    assert ada.name in ada.terminal(listed)
    ended = ada.terminal.json(f"hourmark user sign-out {ada.name} --id {number} -o json")
    assert ended == {"signed_out": ada.name, "sign_in": number}
    assert (world.is_active(token), ada.browser.get("/").status_code) == (False, 200)
    everywhere = ada.terminal.json(f"hourmark user sign-out {ada.name} -o json")
    assert everywhere == {"signed_out": ada.name, "sign_in": None}
    assert ada.browser.get("/").status_code == 303
    assert ada.terminal.run("hourmark whoami").code == 4


def test_for_somebody_else_it_takes_a_permission(world: World, ada: Person, admin: Terminal) -> None:
    app = register(world)
    app.code(ada.browser)
    for line in ("hourmark consent list --user admin", "hourmark user sign-out admin"):
        refused = ada.terminal.run(line)
        assert (refused.code, "user:" in refused.err) == (5, True), refused.err
    number = admin(f"hourmark consent list --user {ada.name} --field id").strip()
    foreign = admin.run(f"hourmark consent delete {number}")
    assert (foreign.code, "hourmark consent list" in foreign.err) == (1, True)
    assert admin(f"hourmark consent delete {number} --user {ada.name} --field withdrawn").strip() == number
    assert len(admin(f"hourmark user sign-ins {ada.name} --field id").split()) == 2
    assert admin(f"hourmark user sign-out {ada.name} --field signed_out").strip() == ada.name
    assert ada.terminal.run("hourmark whoami").code == 4


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("consent list --user nobody", 1, "check the name: hourmark user list"),
        ("user sign-ins nobody", 1, "check the name: hourmark user list"),
        ("user sign-out nobody", 1, "check the name: hourmark user list"),
        ("consent delete first", 1, "consent: is no id"),
        ("consent delete 99999999999", 1, "consent: is no id"),
        ("user sign-out admin --id first", 1, "--id: is no id"),
        ("user sign-out admin --id ''", 2, "is no name"),
        ("user sign-out admin --id", 2, "requires an argument"),
    ],
)
def test_what_cannot_be(admin: Terminal, line: str, code: int, said: str) -> None:
    done = admin.run(f"hourmark {line}")
    assert (done.code, said in done.err) == (code, True), done.err
