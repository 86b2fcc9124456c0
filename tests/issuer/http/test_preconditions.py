"""Who changes a role says which version was seen: `ETag` and `If-Match` (RFC 9110 section 13)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.issuer.http.world import World, bearer


def add(world: World, role: str, permission: str, *if_match: str) -> httpx.Response:
    headers = httpx.Headers([("If-Match", each) for each in if_match])
    path = f"/v1/roles/{role}/policies"
    return world.admin.post(path, json={"permission": permission}, headers=headers)


def etag(world: World, role: str) -> str:
    return world.admin.get(f"/v1/roles/{role}").headers["etag"]


def permissions(world: World, role: str) -> list[str]:
    items = world.admin.get(f"/v1/roles/{role}/policies").json()["items"]
    return [item["permission"] for item in items]


def delete(world: World, path: str, if_match: str | None = None) -> int:
    headers = {} if if_match is None else {"If-Match": if_match}
    return world.admin.delete(path, headers=headers).status_code


def test_of_two_who_looked_at_the_same_version_one_changes_it(world: World) -> None:
    role = world.role("data:get@*")
    seen = etag(world, role)
    assert add(world, role, "data:put@*", seen).status_code == 201
    late = add(world, role, "data:end@*", seen)
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert "look at it again" in late.json()["detail"]
    assert permissions(world, role) == ["data:get@*", "data:put@*"]
    assert add(world, role, "data:end@*", etag(world, role)).status_code == 201


def test_many_at_once_of_whom_one_may(there: World) -> None:
    role = there.role()
    seen = etag(there, role)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: add(there, role, f"data:get@{n}", seen), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 7]
    assert len(permissions(there, role)) == 1


def test_every_answer_about_a_role_tells_its_version(world: World) -> None:
    name = world.role() + "-2"
    made = world.admin.post("/v1/roles", json={"name": name})
    assert made.headers["location"] == f"/v1/roles/{name}"
    assert made.headers["etag"] == etag(world, name)
    added = add(world, name, "data:get@*")
    assert added.headers["etag"] != made.headers["etag"]
    listed = world.admin.get(f"/v1/roles/{name}/policies")
    assert listed.headers["etag"] == added.headers["etag"] == etag(world, name)
    path = f"/v1/roles/{name}/policies/{added.json()['id']}"
    deleted = world.admin.delete(path)
    assert deleted.headers["etag"] not in (made.headers["etag"], added.headers["etag"])
    again = world.admin.delete(path)
    assert again.headers["etag"] == deleted.headers["etag"] == etag(world, name)
    nowhere = world.admin.delete(f"/v1/roles/{name}-3/policies/1")
    assert (nowhere.status_code, "etag" in nowhere.headers) == (200, False)


def test_role_keys_are_no_part_of_a_role(world: World) -> None:
    role = world.role("data:get@*")
    before = etag(world, role)
    key = world.key(role)
    world.admin.post(f"/v1/roles/{role}/keys/{key.access}/renew", json={}).raise_for_status()
    world.admin.delete(f"/v1/roles/{role}/keys/{key.access}").raise_for_status()
    assert etag(world, role) == before


IF_MATCH = [
    (["{etag}"], 201),
    (["*"], 201),
    (['"0", {etag}'], 201),
    (['"0",{etag}'], 201),
    (["{etag},"], 201),
    ([",, {etag}"], 201),
    (['"a,b", "", {etag}'], 201),
    (['"0"', "{etag}"], 201),
    (['"0"'], 412),
    (['""'], 412),
    (['"0", "x"'], 412),
    # Strong comparison: a weak tag says less than "just this".
    (["W/{etag}"], 412),
    (['"0"', "W/{etag}"], 412),
    (["{bare}"], 400),
    ([""], 400),
    ([","], 400),
    (["*, {etag}"], 400),
    (["*", "{etag}"], 400),
    (["{etag} {etag}"], 400),
    (["w/{etag}"], 400),
    (["W/ {etag}"], 400),
    (['"{bare}'], 400),
    (["{etag}x"], 400),
    (['"a b"'], 400),
    (["," + " " * 30_000 + "x"], 400),
]


@pytest.mark.parametrize(("lines", "status"), IF_MATCH, ids=[str(lines)[:40] for lines, _ in IF_MATCH])
def test_if_match(world: World, lines: list[str], status: int) -> None:
    role = world.role()
    tag = etag(world, role)
    sent = [line.format(etag=tag, bare=tag.strip('"')) for line in lines]
    answer = add(world, role, "data:get@*", *sent)
    assert answer.status_code == status, answer.text
    assert permissions(world, role) == (["data:get@*"] if status == 201 else [])
    if status == 400:
        assert answer.json()["code"] == "invalid_request"
        assert "If-Match" in answer.json()["detail"]


def test_a_role_that_changed_is_not_deleted(world: World) -> None:
    role = world.role("data:get@*")
    key = world.key(role)
    path, seen = f"/v1/roles/{role}", etag(world, role)
    add(world, role, "data:put@*").raise_for_status()
    assert delete(world, path, seen) == 412
    assert world.exchange(key).status_code == 200
    assert delete(world, path, etag(world, role)) == 200
    assert world.exchange(key).status_code == 401


def test_deleting_again_does_nothing_unless_it_must_match_something(world: World) -> None:
    role = world.role("data:get@*")
    path = f"/v1/roles/{role}"
    (policy,) = world.admin.get(f"{path}/policies").json()["items"]
    one = f"{path}/policies/{policy['id']}"
    assert [delete(world, one, etag(world, role)), delete(world, one)] == [200, 200]
    # The policy is gone, whatever the version of its role.
    assert [delete(world, one, condition) for condition in ("*", etag(world, role))] == [412, 412]
    seen = etag(world, role)
    assert [delete(world, path, seen), delete(world, path)] == [200, 200]
    assert [delete(world, path, condition) for condition in ("*", seen)] == [412, 412]
    assert delete(world, one, "*") == 412


def test_a_condition_is_looked_at_where_the_request_would_be_granted_else(world: World) -> None:
    role = world.role("data:get@*")
    path = f"/v1/roles/{role}"
    looker = world.holder(f"role:get@{role}")
    stale = {**looker.bearer, "If-Match": '"0"'}
    assert world.nobody.delete(path, headers=stale).status_code == 403
    assert world.nobody.get(path, headers={**bearer("hmk_nobody"), "If-None-Match": "*"}).status_code == 401
    other = world.holder("role:get@org.elsewhere.x")
    assert world.nobody.get(path, headers={**other.bearer, "If-None-Match": "*"}).status_code == 403
    assert add(world, f"{role}-none", "data:get@*", '"1"').status_code == 404
    # What is there already is a conflict only for who looks at this version.
    assert add(world, role, "data:get@*", '"0"').status_code == 412
    assert add(world, role, "data:get@*", etag(world, role)).status_code == 409


@pytest.mark.parametrize("part", ["", "/policies", "/policies?limit=1"])
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "W/{etag}"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"0", {etag}'}, 304),
        ({"If-None-Match": '"0"'}, 200),
        ({"If-None-Match": "0"}, 400),
        ({"If-Match": "{etag}"}, 200),
        ({"If-Match": '"0"'}, 412),
        ({"If-Match": "{etag}", "If-None-Match": "{etag}"}, 304),
        # There are no dates to compare with.
        ({"If-Modified-Since": "Wed, 25 Nov 2026 00:00:00 GMT"}, 200),
    ],
)
def test_who_has_it_is_not_sent_it_again(
    world: World, part: str, condition: dict[str, str], status: int
) -> None:
    role = world.role("data:get@*")
    tag = etag(world, role)
    headers = {name: value.format(etag=tag) for name, value in condition.items()}
    for method in ("GET", "HEAD"):
        answer = world.admin.request(method, f"/v1/roles/{role}{part}", headers=headers)
        assert answer.status_code == status
        if status in (200, 304):
            assert answer.headers["etag"] == tag
        assert (answer.content == b"") == (status == 304 or method == "HEAD")


def test_a_change_must_not_be_of_a_version_that_is_named(world: World) -> None:
    role = world.role("data:get@*")
    headers = {"If-None-Match": etag(world, role)}
    answer = world.admin.delete(f"/v1/roles/{role}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert permissions(world, role) == ["data:get@*"]


def test_what_has_no_version_is_not_changed_on_a_condition(world: World) -> None:
    role = world.role("data:get@*")
    key = world.key(role)
    for method, path, body in (
        ("POST", "/v1/roles", {"name": f"{role}-2"}),
        ("POST", f"/v1/roles/{role}/keys", {}),
        ("POST", f"/v1/roles/{role}/keys/{key.access}/renew", {}),
        ("DELETE", f"/v1/roles/{role}/keys/{key.access}", None),
    ):
        for condition in ('"1"', "*"):
            answer = world.admin.request(method, path, json=body, headers={"If-Match": condition})
            assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
            assert "leave it out" in answer.json()["detail"]
    assert world.exchange(key).status_code == 200
    assert len(world.admin.get(f"/v1/roles/{role}/keys").json()["items"]) == 1
