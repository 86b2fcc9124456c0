"""API tokens in the console: made, shown once, listed, renewed, deleted; nobody else's."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, bearer, made

FORM = {"name": "nightly", "preset-read": "on", "expires": "30"}
_TOKEN = re.compile(r"hmk_[0-9A-Za-z]{16}:[0-9A-Za-z]{38}")


@pytest.fixture
def user(world: World, user: str) -> str:
    """One who may do something."""
    role = {"role": world.role("app:*@*", "job:*@*")}
    made(world.admin.post(f"/v1/users/{user}/roles", json=role))
    return user


def token_in(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    (found,) = _TOKEN.findall(answer.text)
    return str(found)


def is_good(world: World, token: str) -> bool:
    return world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200


def test_made_shown_once_listed_renewed_deleted(world: World, user: str, signed_in: NewBrowser) -> None:
    browser = signed_in()
    assert "None yet" in browser.get("/tokens").text
    browser.get("/tokens/new")
    answer = browser.send("/tokens/new", {**FORM, "labels": "model=base", "description": "in CI"})
    first = token_in(answer)
    assert answer.headers["cache-control"] == "no-store"
    said = world.nobody.get("/v1/me", headers=bearer(first)).json()
    assert (said["principal"], said["scope"]) == (
        f"user:{user}",
        "app:query@*[model=base] job:query@*[model=base]",
    )
    listed = browser.get("/tokens").text
    for part in ("nightly", "in CI", "Read", "model=base", first[:8]):
        assert part in listed
    assert first.partition(":")[2] not in listed

    access = {"id": first.partition(":")[0]}
    second = token_in(browser.send("/tokens/renew", access))
    assert (is_good(world, first), is_good(world, second)) == (False, True)
    browser.get("/tokens")
    assert browser.send("/tokens/delete", access).status_code == 303
    assert not is_good(world, second)
    assert "None yet" in browser.get("/tokens").text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "at least 1 character"),
        ({"preset-read": ""}, "choose at least one"),
        ({"preset-nothing": "on"}, "is no preset"),
        ({"preset-developer-operations": "on"}, "data:*@* repository:*@* is missing"),
        ({"labels": "model"}, "write name=value"),
        ({"resources": "a@b"}, "write a name"),
        ({"expires": "10000"}, "choose how long"),
        ({"expires": "never"}, "is not allowed here"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    signed_in: NewBrowser, changes: dict[str, str], says: str
) -> None:
    browser = signed_in()
    browser.get("/tokens/new")
    answer = browser.send("/tokens/new", {**FORM, "description": "typed before", **changes})
    assert answer.status_code == 400
    assert says in answer.text.replace("<wbr>", "")
    assert "typed before" in answer.text
    assert "None yet" in browser.get("/tokens").text


def test_a_name_is_taken_once(signed_in: NewBrowser) -> None:
    browser = signed_in()
    for status in (200, 400):
        browser.get("/tokens/new")
        assert browser.send("/tokens/new", FORM).status_code == status


def test_another_users_are_not_there(world: World, signed_in: NewBrowser) -> None:
    browser, other = signed_in(), signed_in(user="admin")
    browser.get("/tokens/new")
    token = token_in(browser.send("/tokens/new", FORM))
    for path in ("/tokens/renew", "/tokens/delete"):
        other.get("/tokens/new")
        assert other.send(path, {"id": token.partition(":")[0]}).status_code == 404
    assert is_good(world, token)


def test_who_sat_down_in_between_makes_none(signed_in: NewBrowser) -> None:
    browser = signed_in(at=int(time.time()) - 3600)
    assert "/login?next=/tokens/new" in browser.get("/tokens/new").headers["location"]
    for path in ("/tokens/new", "/tokens/renew"):
        browser.get("/")
        assert browser.send(path, FORM).headers["location"].startswith("/login?next=/tokens")


def test_nobody_is_shown_any(world: World) -> None:
    for path in ("/tokens", "/tokens/new?name=x"):
        assert world.nobody.get(path).headers["location"].startswith("/login?next=/tokens")
