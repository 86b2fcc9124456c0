"""Users over HTTP: what they may follows their roles, and ends with them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.issuer.http.world import World, made

READ = "data:get@set"


def new_user(world: World, *roles: str, **profile: Any) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name, **profile}))
    for role in roles:
        made(world.admin.post(f"/v1/users/{name}/roles", json={"role": role}))
    return name


def user(world: World, name: str) -> dict[str, Any]:
    answer = world.admin.get(f"/v1/users/{name}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_user_is_made_looked_at_changed_and_deleted(world: World) -> None:
    role = world.role(READ)
    name = new_user(world, role, display_name="Ada Lovelace", email="ada@people.example")
    found = user(world, name)
    assert (found["name"], found["display_name"], found["email"]) == (
        name,
        "Ada Lovelace",
        "ada@people.example",
    )
    assert (found["state"], found["roles"]) == ("active", [role])
    changed = world.admin.patch(f"/v1/users/{name}", json={"email": None})
    assert (changed.status_code, changed.json()["email"], changed.json()["display_name"]) == (
        200,
        None,
        "Ada Lovelace",
    )
    assert world.admin.delete(f"/v1/users/{name}").json()["deleted"] == name
    assert world.admin.get(f"/v1/users/{name}").status_code == 404
    again = world.admin.post("/v1/users", json={"name": name})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert "never used again" in again.json()["detail"]
    assert world.admin.delete(f"/v1/users/{name}").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "no spaces"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": ""}, "name"),
        ({}, "name"),
        ({"name": "u1", "email": "nobody"}, "email"),
        ({"name": "u1", "email": "a b@c"}, "email"),
        ({"name": "u1", "display_name": "two\nlines"}, "display_name"),
        ({"name": "u1", "rolse": []}, "rolse"),
    ],
)
def test_what_cannot_be_a_user_is_said_by_its_field(world: World, body: dict[str, Any], field: str) -> None:
    answer = world.admin.post("/v1/users", json=body)
    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("held", "seen"),
    [
        ("user:get@{1}", "1"),
        ("user:get@{0} user:get@{2}", "02"),
        ("user:*@{prefix}*", "012"),
        ("user:get@*[group=A]", ""),
        ("role:get@*", ""),
    ],
)
def test_each_sees_the_users_that_it_may_look_at_page_by_page(world: World, held: str, seen: str) -> None:
    prefix = f"v{uuid4().hex[:8]}"
    names = [f"{prefix}-{letter}" for letter in "abc"]
    for name in names:
        made(world.admin.post("/v1/users", json={"name": name}))
    caller = world.holder(*held.format(*names, prefix=prefix).split())
    found: list[str] = []
    query = {"limit": "1", "prefix": prefix}
    while True:
        page = world.nobody.get("/v1/users", params=query, headers=caller.bearer).json()
        found += [each["name"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == [names[int(place)] for place in seen]


def test_who_may_not_see_a_user_may_not_look_at_it(world: World) -> None:
    caller = world.holder(f"user:get@{new_user(world)}")
    assert world.nobody.get(f"/v1/users/{new_user(world)}", headers=caller.bearer).status_code == 403


def test_users_are_listed_by_prefix_and_state(world: World) -> None:
    prefix = f"p{uuid4().hex[:8]}"
    names = [f"{prefix}-{letter}" for letter in "abc"]
    for name in names:
        made(world.admin.post("/v1/users", json={"name": name}))
    assert world.admin.post(f"/v1/users/{names[1]}/disable").status_code == 200

    def listed(**query: str) -> list[str]:
        answer = world.admin.get("/v1/users", params={"prefix": prefix, **query})
        return [each["name"] for each in answer.json()["items"]]

    assert listed() == names
    assert listed(state="active") == [names[0], names[2]]
    assert listed(state="disabled") == [names[1]]
    first = world.admin.get("/v1/users", params={"prefix": prefix, "limit": 2}).json()
    assert [each["name"] for each in first["items"]] == names[:2]
    assert listed(cursor=first["next_cursor"]) == names[2:]


def test_giving_a_role_needs_both_the_user_and_the_role(world: World) -> None:
    name, role = new_user(world), world.role(READ)
    for permissions, status in (
        ([f"user:assign@{name}"], 403),
        ([f"role:assume@{role}"], 403),
        ([f"user:assign@{name}", f"role:assume@{role}"], 201),
    ):
        caller = world.holder(*permissions)
        answer = world.nobody.post(f"/v1/users/{name}/roles", json={"role": role}, headers=caller.bearer)
        assert answer.status_code == status, permissions
    again = world.admin.post(f"/v1/users/{name}/roles", json={"role": role})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert world.admin.post(f"/v1/users/{name}/roles", json={"role": "org.tests.none"}).status_code == 404
    for _ in range(2):
        assert world.admin.delete(f"/v1/users/{name}/roles/{role}").json() == {"user": name, "taken": role}
    assert user(world, name)["roles"] == []


def test_every_change_of_a_user_has_a_version(world: World) -> None:
    role = world.role(READ)
    name = new_user(world)
    path = f"/v1/users/{name}"
    seen = world.admin.get(path).headers["etag"]
    assert world.admin.get(path, headers={"If-None-Match": seen}).status_code == 304
    assert made(world.admin.post(path + "/roles", json={"role": role}, headers={"If-Match": seen}))
    stale = {"If-Match": seen}
    answers: list[httpx.Response] = [
        world.admin.patch(path, json={"display_name": "x"}, headers=stale),
        world.admin.post(path + "/disable", headers=stale),
        world.admin.delete(f"{path}/roles/{role}", headers=stale),
        world.admin.delete(path, headers=stale),
    ]
    assert [answer.status_code for answer in answers] == [412] * len(answers)
    assert user(world, name)["state"] == "active"
    # The role's end is a change of the user's too.
    seen = world.admin.get(path).headers["etag"]
    assert world.admin.delete(f"/v1/roles/{role}").status_code == 200
    assert world.admin.get(path).headers["etag"] != seen


def test_nobody_locks_themselves_out(world: World) -> None:
    for answer in (
        world.admin.post("/v1/users/admin/disable"),
        world.admin.delete("/v1/users/admin"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert user(world, "admin")["state"] == "active"


def test_the_first_user_is_listed_like_any_other(world: World) -> None:
    assert user(world, "admin")["roles"] == []
