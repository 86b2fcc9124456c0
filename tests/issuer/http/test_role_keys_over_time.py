"""Stories of roles and their keys: made, paged through, renewed, revoked, deleted."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.issuer.http.world import Key, World, until


def renew(world: World, key: Key, **body: Any) -> Key:
    answer = world.admin.post(f"/v1/roles/{key.role}/keys/{key.access}/renew", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["access"] == key.access
    assert answer.json()["secret"] != key.secret
    return Key(key.role, key.access, answer.json()["secret"])


def revoke(world: World, key: Key, token: str, **form: str) -> None:
    answer = world.nobody.post("/v1/revoke", auth=key.basic, data={"token": token, **form})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"


def opens(world: World, key: Key) -> bool:
    status = world.exchange(key).status_code
    assert status in (200, 401)
    return status == 200


def test_a_renewal_without_grace_ends_every_old_secret_and_its_tokens(world: World) -> None:
    oldest = world.holder("data:get@*")
    old = renew(world, oldest, grace_seconds=600)
    tokens = [world.token(oldest), world.token(old)]
    assert all(world.is_active(token) for token in tokens)
    new = renew(world, old)
    assert [opens(world, key) for key in (oldest, old, new)] == [False, False, True]
    assert not any(world.is_active(token) for token in tokens)
    assert world.is_active(world.token(new))


def test_a_renewal_with_grace_leaves_the_old_secret_and_its_tokens_until_it_ends(world: World) -> None:
    old = world.holder("data:get@*")
    token = world.token(old)
    new = renew(world, old, grace_seconds=600)
    assert [opens(world, key) for key in (old, new)] == [True, True]
    assert world.is_active(token)
    brief = world.holder("data:get@*")
    new = renew(world, brief, grace_seconds=1)
    until(lambda: not opens(world, brief))
    assert opens(world, new)


def test_revoking_ends_the_tokens_of_one_secret_and_the_role_key_goes_on(world: World) -> None:
    old = world.holder("data:get@*")
    of_old = [world.token(old), world.token(old)]
    new = renew(world, old, grace_seconds=600)
    of_new = world.token(new)
    # Any secret of the client may end what another one of it was issued.
    revoke(world, new, of_old[0], token_type_hint="refresh_token")
    assert [world.is_active(token) for token in (*of_old, of_new)] == [False, False, True]
    assert opens(world, old)
    assert opens(world, new)
    assert world.is_active(world.token(old))
    # Again, with a token that is revoked already: nothing more ends.
    later = world.token(old)
    revoke(world, old, of_old[1])
    assert world.is_active(later)


def test_revoking_needs_a_token_and_a_client(world: World) -> None:
    key = world.holder("data:get@*")
    missing = world.nobody.post("/v1/revoke", auth=key.basic, data={"token": ""})
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    nobody = world.nobody.post("/v1/revoke", data={"token": world.token(key)})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")


def test_deleting_a_role_key_ends_its_tokens_lists_what_it_made_and_can_be_repeated(world: World) -> None:
    role = world.role("data:get@*")
    maker = world.holder("role-key:create@*", "data:get@*")
    path = f"/v1/roles/{role}/keys"
    children = [world.nobody.post(path, headers=maker.bearer, json={}).json() for _ in range(2)]
    assert {child["created_by"] for child in children} == {maker.access}
    token = world.token(maker)
    mine = f"/v1/roles/{maker.role}/keys/{maker.access}"
    answer = world.admin.delete(mine).json()
    assert (answer["deleted"], sorted(answer["made"])) == (
        maker.access,
        sorted(child["access"] for child in children),
    )
    assert not world.is_active(token)
    assert not opens(world, maker)
    for child in children:
        assert opens(world, Key(role, child["access"], child["secret"]))
    again = world.admin.delete(mine)
    assert (again.status_code, again.json()) == (200, {"deleted": maker.access, "made": []})


def test_deleting_a_role_ends_its_keys_and_its_name_is_never_used_again(world: World) -> None:
    role = world.role("data:get@*")
    keys = [world.key(role), world.key(role)]
    tokens = [world.token(key) for key in keys]
    answer = world.admin.delete(f"/v1/roles/{role}").json()
    assert (answer["deleted"], sorted(answer["keys"])) == (role, sorted(key.access for key in keys))
    assert not any(world.is_active(token) for token in tokens)
    assert not any(opens(world, key) for key in keys)
    assert world.admin.get(f"/v1/roles/{role}").status_code == 404
    assert world.admin.delete(f"/v1/roles/{role}").json() == {
        "deleted": role,
        "keys": [],
        "made": [],
        "apps": [],
    }
    again = world.admin.post("/v1/roles", json={"name": role})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert "never used again" in again.json()["detail"]


def test_deleting_a_policy_ends_the_tokens_and_narrows_the_keys(world: World) -> None:
    key = world.holder("data:get@*", "data:put@*")
    token = world.token(key)
    policies = world.admin.get(f"/v1/roles/{key.role}/policies").json()["items"]
    (put,) = (policy["id"] for policy in policies if policy["permission"] == "data:put@*")
    for _ in range(2):
        answer = world.admin.delete(f"/v1/roles/{key.role}/policies/{put}")
        assert (answer.status_code, answer.json()) == (200, {"deleted": put})
    assert not world.is_active(token)
    assert world.exchange(key).json()["scope"] == "data:get@*"
    # The policy of another role is not to be had by its number.
    stranger = world.role()
    left = policies[0]["id"] if policies[0]["id"] != put else policies[1]["id"]
    assert world.admin.delete(f"/v1/roles/{stranger}/policies/{left}").status_code == 200
    assert world.exchange(key).status_code == 200


def test_what_is_there_already_is_a_conflict(world: World) -> None:
    role = world.role("data:get@*")
    again = world.admin.post("/v1/roles", json={"name": role})
    policy = world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:get@*"})
    for answer in (again, policy):
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert role in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/roles/{role}"),
        ("GET", "/v1/roles/{role}/keys"),
        ("POST", "/v1/roles/{role}/keys"),
        ("GET", "/v1/roles/{role}/policies"),
        ("POST", "/v1/roles/{role}/policies"),
        ("POST", "/v1/roles/{other}/keys/hmk_0000000000000000/renew"),
        ("POST", "/v1/roles/{other}/keys/{access}/renew"),
    ],
)
def test_what_does_not_exist_is_not_found(world: World, method: str, path: str) -> None:
    key = world.holder("data:get@*")
    filled = path.format(role=f"{key.role}-not", other=world.role(), access=key.access)
    body = {"permission": "data:get@*"} if path.endswith("policies") else {}
    answer = world.admin.request(method, filled, json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_secret_is_in_the_answer_that_made_it_and_nowhere_else(world: World) -> None:
    role = world.role("data:get@*")
    expires_at = datetime.fromtimestamp(int(time.time()) + 86400, UTC).isoformat()
    body = {"name": "for CI", "scope": "data:get@a", "expires_at": expires_at}
    answer = world.admin.post(f"/v1/roles/{role}/keys", json=body)
    made = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    (listed,) = world.admin.get(f"/v1/roles/{role}/keys").json()["items"]
    assert {**listed, "secret": made["secret"]} == made
    assert "secret" not in listed
    assert {name: made[name] for name in ("role", "name", "scope")} == {
        "role": role,
        "name": "for CI",
        "scope": "data:get@a",
    }
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(expires_at)


@pytest.mark.parametrize("noun", ["keys", "policies"])
def test_lists_are_paged_through_in_an_order_that_stays(world: World, noun: str) -> None:
    role = world.role()
    path = f"/v1/roles/{role}/{noun}"
    for number in range(5):
        world.admin.post(path, json={"permission": f"data:get@{number}"} if noun == "policies" else {})
    whole = world.admin.get(path).json()
    assert (len(whole["items"]), whole["next_cursor"]) == (5, None)
    for limit in (1, 2, 4, 5, 200):
        items: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = world.admin.get(path, params={"limit": limit, "cursor": cursor}).json()
            assert 0 < len(page["items"]) <= limit
            items += page["items"]
            cursor = page["next_cursor"]
        assert items == whole["items"]


def test_what_was_deleted_meanwhile_does_not_disturb_who_pages(world: World) -> None:
    role = world.role()
    accesses = sorted(world.key(role).access for _ in range(4))
    path = f"/v1/roles/{role}/keys"
    first = world.admin.get(path, params={"limit": 2}).json()
    world.admin.delete(f"{path}/{accesses[1]}")  # the one that the cursor stands behind
    rest = world.admin.get(path, params={"cursor": first["next_cursor"]}).json()
    assert [key["access"] for key in first["items"] + rest["items"]] == accesses
