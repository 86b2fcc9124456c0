"""Labels of apps, over HTTP: who sets which, and who reaches what has them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.issuer.http.world import World, bearer, made


def new_name() -> str:
    return f"app-{uuid4().hex[:12]}"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"labels": {"hourmark/x": "1"}}, "labels"),
        ({"labels": {"a b": "1"}}, "labels"),
        ({"labels": {"a": "ü"}}, "labels"),
        ({"labels": {f"l{number}": "1" for number in range(51)}}, "labels"),
        ({"audience": "https://nobody.example"}, "audience"),
        ({"host": "app.example:443"}, "host"),
        ({"host": "app.example:0"}, "host"),
    ],
)
def test_what_no_app_can_have(world: World, members: dict[str, object], field: str) -> None:
    name = new_name()
    for answer in (
        world.admin.post("/v1/apps", json={"name": name, **members}),
        world.admin.patch(f"/v1/apps/{made(world.admin.post('/v1/apps', json={'name': name}))['name']}",
                          json=members),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_the_platform_sets_its_own_and_a_narrow_credential_stamps(world: World) -> None:
    name, key = new_name(), world.holder("app:*@*[group=A]")
    given = {"name": name, "labels": {"hourmark/id": "mine", "team": "x"}}
    answer = made(world.nobody.post("/v1/apps", json=given, headers=key.bearer))
    platform = {"hourmark/id": answer["client_id"], "hourmark/type": "app"}
    assert answer["labels"] == platform | {"group": "A", "team": "x"}
    refused = {"name": new_name(), "labels": {"group": "B"}}
    assert world.nobody.post("/v1/apps", json=refused, headers=key.bearer).status_code == 403


def test_within_reach_before_and_after(world: World) -> None:
    name, elsewhere = new_name(), new_name()
    for each, group in ((name, "A"), (elsewhere, "B")):
        made(world.admin.post("/v1/apps", json={"name": each, "labels": {"group": group, "mine": name}}))
    narrow = bearer(world.holder(f"app:*@*[group=A,mine={name}]").text)
    listed = world.nobody.get("/v1/apps", headers=narrow).json()["items"]
    assert [app["name"] for app in listed] == [name]
    assert world.nobody.get(f"/v1/apps/{elsewhere}", headers=narrow).status_code == 403
    path, mine = f"/v1/apps/{name}", {"mine": name}
    for labels, expected in (
        ({"group": "A", "x": "1"} | mine, 200),
        ({"group": "B"} | mine, 403),
        ({"hourmark/id": "x"}, 422),
    ):
        assert world.nobody.patch(path, json={"labels": labels}, headers=narrow).status_code == expected
    found = world.admin.get(path).json()["labels"]
    assert found.keys() == {"hourmark/id", "hourmark/type", "group", "mine", "x"}
    assert world.nobody.delete(path, headers=narrow).status_code == 200


def test_its_owner_takes_no_app_out_of_what_they_reach(world: World) -> None:
    """It was registered within some labels; owning it is no way around them."""
    narrow = world.holder("app:register@*[group=A]").bearer
    name = made(world.nobody.post("/v1/apps", json={"name": new_name()}, headers=narrow))["name"]
    path = f"/v1/apps/{name}"
    for labels, expected in (
        ({"group": "A", "x": "1"}, 200),
        ({}, 403),
        ({"group": "B"}, 403),
        ({"group": "A"}, 200),
    ):
        changed = world.nobody.patch(path, json={"labels": labels}, headers=narrow)
        assert changed.status_code == expected, labels
    assert world.admin.get(path).json()["labels"]["group"] == "A"
    # The rest of it is theirs, and labels that stay as they are too.
    same = {"labels": {"group": "A"}, "description": "Notes"}
    assert world.nobody.patch(path, json=same, headers=narrow).status_code == 200


def test_who_was_given_an_app_relabels_it_within_what_they_reach(world: World) -> None:
    key = world.holder("data:get@*")
    made(world.admin.post("/v1/apps", json={"name": (name := new_name()), "owner": f"role:{key.role}"}))
    path = f"/v1/apps/{name}"
    assert world.nobody.patch(path, json={"description": "x"}, headers=key.bearer).status_code == 200
    refused = world.nobody.patch(path, json={"labels": {"group": "A"}}, headers=key.bearer)
    assert (refused.status_code, f"app:update@{name}" in refused.text) == (403, True)
