"""Set-up links over the API: who may make one, and how long it is good. What it opens, the pages know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.issuer.http.world import World, made


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
