"""Set-up links over the API: who may make one, and how long it is good. What it opens, the pages know."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.browsers import signed_in
from tests.clients import as_oneself, register
from tests.issuer.http.world import World, bearer, made


@pytest.fixture
def user(world: World) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    return name


@pytest.mark.parametrize(("body", "days"), [({}, 3), ({"expires_in": 30 * 86400}, 30)])
def test_a_link_is_shown_once_with_its_end(world: World, user: str, body: dict[str, int], days: int) -> None:
    answer = world.admin.post(f"/v1/users/{user}/invitations", json=body)
    invitation = made(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert invitation["user"] == user
    assert invitation["url"].startswith(f"{world.url}/setup?invitation=hmi_")
    left = datetime.fromisoformat(invitation["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=days, minutes=-5) < left <= timedelta(days=days, seconds=1)


@pytest.mark.parametrize("seconds", [0, 59, 30 * 86400 + 1, "3d", None])
def test_a_link_lasts_a_minute_to_thirty_days(world: World, user: str, seconds: object) -> None:
    answer = world.admin.post(f"/v1/users/{user}/invitations", json={"expires_in": seconds})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")


def test_nobody_makes_one_for_a_user_who_may_more(world: World, user: str) -> None:
    """Who has the link becomes the user."""
    role = world.role("data:get@*", "data:put@*")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": role}))
    path = f"/v1/users/{user}/invitations"
    narrow = world.holder("user:invite@*", "data:get@*")
    refused = world.nobody.post(path, headers=narrow.bearer, json={})
    assert (refused.status_code, refused.json()["missing"]) == (403, "data:put@*")
    wide = world.holder("user:invite@*", "data:*@*")
    made(world.nobody.post(path, headers=wide.bearer, json={}))


def test_nobody_has_none(world: World) -> None:
    answer = world.admin.post("/v1/users/nobody/invitations", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def opens(world: World, url: str) -> bool:
    return world.nobody.get(url.removeprefix(world.url)).status_code == 200


def test_a_link_of_whoever_is_disabled_since_opens_nothing(world: World, user: str) -> None:
    maker = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": maker}))
    made(world.admin.post(f"/v1/users/{maker}/roles", json={"role": world.role("user:invite@*")}))
    with signed_in(world.issuer, maker) as browser:
        headers = as_oneself(world, browser)
    url = made(world.nobody.post(f"/v1/users/{user}/invitations", json={}, headers=headers))["url"]
    assert opens(world, url)
    assert world.admin.post(f"/v1/users/{maker}/disable").status_code == 200
    assert not opens(world, url)


def test_a_link_of_a_role_key_that_has_expired_opens_nothing(world: World, user: str) -> None:
    role = world.role("user:invite@*")
    end = datetime.now(UTC) + timedelta(seconds=2)
    key = world.key(role, expires_at=end.isoformat())
    url = made(world.nobody.post(f"/v1/users/{user}/invitations", json={}, headers=key.bearer))["url"]
    assert opens(world, url)
    while datetime.now(UTC) < end + timedelta(seconds=1):
        time.sleep(0.1)
    assert not opens(world, url)


def test_an_app_that_acts_for_somebody_makes_none(world: World, user: str) -> None:
    app = register(world, "user:invite@* data:get@*")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": world.role("user:invite@*")}))
    with signed_in(world.issuer, user) as own:
        token = app.sign_in(own, scope="user:invite@*", resource=world.url)["access_token"]
    other = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": other}))
    refused = world.nobody.post(f"/v1/users/{other}/invitations", json={}, headers=bearer(token))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
