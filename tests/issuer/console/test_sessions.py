"""A session in a browser: how long it lasts, what is known of it, and what happens at its edges."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher
from sqlmodel import select

from issuer.store import users
from issuer.store.tables import UserGrant
from tests.browsers import Browser, inside, signed_in
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made, open_world

PASSWORD = "correct horse battery"


def row(world: World, user: str, **values: object) -> UserGrant:
    """The one session of a user, with these values from now on."""
    with inside(world.issuer) as there, there.write("tests") as tx:
        user_id = users.get(tx.session, user).principal.id
        (found,) = tx.session.exec(select(UserGrant).where(UserGrant.user_id == user_id))
        for name, value in values.items():
            setattr(found, name, value)
        tx.session.add(found)
        tx.session.flush()
        tx.session.expunge(found)
        return found


def test_it_ends_when_its_time_is_over(world: World, user: str, signed_in: NewBrowser) -> None:
    browser, now = signed_in(), int(time.time())
    row(world, user, expires_at=now + 30)
    assert browser.get("/").status_code == 200
    row(world, user, expires_at=now)
    assert browser.get("/").status_code == 303


def test_its_use_is_written_down_now_and_then(world: World, user: str, signed_in: NewBrowser) -> None:
    browser, now = signed_in(), int(time.time())
    browser.get("/")
    assert row(world, user).last_used_at is None
    row(world, user, created_at=now - 601)
    browser.get("/")
    used_at = row(world, user).last_used_at
    assert used_at is not None
    assert used_at >= now


def test_of_many_at_once_one_uses_a_link(world: World, user: str, link: str) -> None:
    def use(_: int) -> int:
        with Browser(world.url) as browser:
            browser.get(link)
            return browser.send("/setup", {"password": PASSWORD, "again": PASSWORD}).status_code

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(use, range(4)))
    # Who came later found no page any more, or one whose link was used up meanwhile.
    assert codes.count(303) == 1
    assert {*codes} <= {303, 403, 404}
    assert row(world, user).kind == "session", "and one is signed in"


def test_a_hash_of_other_parameters_is_made_anew(world: World, user: str, browser: Browser) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with inside(world.issuer) as there, there.write("tests") as tx:
        users.get(tx.session, user).account.password_hash = old
    for _ in range(2):
        browser.get("/login")
        assert browser.send("/login", {"user": user, "password": PASSWORD}).status_code == 303
    with inside(world.issuer) as there, there.database.read() as reading:
        password_hash = users.get(reading, user).account.password_hash or ""
    assert password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_without_a_database_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        made(world.admin.post("/v1/users", json={"name": "ada"}))
        with signed_in(world.issuer, "ada") as browser, Browser(world.url) as nobody:
            nobody.get("/login")
            database = tmp_path / "data" / "hourmark.db"
            shutil.move(database, tmp_path / "away.db")
            try:
                answers = [
                    browser.get("/"),
                    nobody.send("/login", {"user": "ada", "password": PASSWORD}),
                ]
                shown = nobody.get("/login")
            finally:
                shutil.move(tmp_path / "away.db", database)
            for answer in answers:
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                assert "Not available right now" in answer.text
            assert shown.status_code == 200
            assert browser.get("/").status_code == 200
