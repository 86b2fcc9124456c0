"""Lists: filtered, paged while rows come and go, and strict about what they are asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.issuer.http.conftest import Expired
from tests.issuer.http.operations import ROWS, Row, target
from tests.issuer.http.world import World, made


def pages(world: World, path: str, **params: str | int) -> Iterator[list[Any]]:
    """One page after the other."""
    cursor: str | None = ""
    while cursor is not None:
        answer = world.admin.get(path, params={**params, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["items"]
        cursor = page["next_cursor"]


def names(items: list[Any]) -> list[str]:
    return [item["name"] for item in items]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("{base}.a", ["{base}.a_b.x", "{base}.aab.x"]),
        ("{base}.a_", ["{base}.a_b.x"]),
        ("{base}.A", ["{base}.Aab.x"]),
        ("{base}.a_b.x", ["{base}.a_b.x"]),
        ("{base}.a_b.x.y", []),
        ("rg.", []),
    ],
)
def test_roles_whose_names_begin_so(there: World, prefix: str, found: list[str]) -> None:
    base = "org.prefixes"
    for name in ("a_b", "aab", "Aab", "b"):
        there.admin.post("/v1/roles", json={"name": f"{base}.{name}.x"})
    for limit in (1, 200):
        listed = [
            name
            for page in pages(there, "/v1/roles", prefix=prefix.format(base=base), limit=limit)
            for name in names(page)
        ]
        # Databases order by their own alphabets.
        assert sorted(listed) == sorted(name.format(base=base) for name in found)


@pytest.mark.parametrize(
    ("held", "seen"),
    [
        ("role:get@{0}", "0"),
        ("role:get@{0} role:get@{2}", "02"),
        ("role:*@{prefix}*", "012"),
        ("*:get@{prefix}-b", "1"),
        ("role:get@*[group=A]", ""),
        ("role:get@{prefix}*[group=A]", ""),
        ("role:delete@*", ""),
        ("data:get@*", ""),
    ],
)
def test_each_sees_the_roles_that_it_may_look_at_page_by_page(there: World, held: str, seen: str) -> None:
    prefix = f"org.tests.v{uuid4().hex[:8]}"
    names = [f"{prefix}-{letter}" for letter in "abc"]
    for name in names:
        made(there.admin.post("/v1/roles", json={"name": name}))
    caller = there.holder(*held.format(*names, prefix=prefix).split())
    found: list[str] = []
    query = {"limit": "1", "prefix": prefix}
    while True:
        page = there.nobody.get("/v1/roles", params=query, headers=caller.bearer).json()
        found += [role["name"] for role in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == [names[int(place)] for place in seen]


def test_a_filtered_list_goes_on_while_roles_come_and_go(there: World) -> None:
    base = f"org.paged.t{time.time_ns()}"

    def make(*numbers: str) -> None:
        for number in numbers:
            made(there.admin.post("/v1/roles", json={"name": f"{base}.n{number}"}))

    make("1", "3", "5", "7")
    made(there.admin.post("/v1/roles", json={"name": f"{base}x.n4"}))
    reading = pages(there, "/v1/roles", prefix=f"{base}.", limit=2)
    assert names(next(reading)) == [f"{base}.n1", f"{base}.n3"]
    # The one that the cursor stands at, one behind it and one before; and new ones on both sides.
    for gone in ("3", "1", "5"):
        there.admin.delete(f"/v1/roles/{base}.n{gone}").raise_for_status()
    make("2", "6")
    assert names([role for page in reading for role in page]) == [f"{base}.n6", f"{base}.n7"]


def test_role_keys_by_state(world: World, expired: Expired) -> None:
    role = expired.key.role
    lasting = world.key(role, name="lasting")
    later = world.key(role, expires_at=datetime.fromtimestamp(time.time() + 3600, UTC).isoformat())
    path = f"/v1/roles/{role}/keys"

    def listed(**params: str) -> set[str]:
        return {key["access"] for page in pages(world, path, limit=1, **params) for key in page}

    # Other tests may have made further ones.
    assert listed(state="expired") == {expired.key.access}
    assert listed(state="active") >= {lasting.access, later.access}
    assert listed() == listed(state="active") | listed(state="expired")
    assert listed(state="active").isdisjoint(listed(state="expired"))


def test_role_keys_by_who_made_them(there: World) -> None:
    role = there.role("data:get@*")
    maker = there.holder("role-key:create@*", "data:get@*", "role:assume@*")
    path = f"/v1/roles/{role}/keys"
    by_admin = {there.key(role).access for _ in range(2)}
    by_maker = {made(there.nobody.post(path, headers=maker.bearer, json={}))["access"] for _ in range(3)}
    seen = [key for page in pages(there, path, created_by=maker.access, limit=2) for key in page]
    assert {key["access"] for key in seen} == by_maker
    assert {key["created_by"] for key in seen} == {maker.access}
    assert {key["access"] for page in pages(there, path, limit=2) for key in page} == by_admin | by_maker
    assert list(pages(there, path, created_by="hmk_0123456789abcdef")) == [[]]
    # A cursor stays where it is when the key that it names is gone.
    reading = pages(there, path, created_by=maker.access, state="active", limit=1)
    first, *_ = next(reading)
    there.admin.delete(f"{path}/{first['access']}").raise_for_status()
    assert {key["access"] for page in reading for key in page} == by_maker - {first["access"]}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_a_parameter_that_is_not_known_is_refused_before_anything_is_done(world: World, row: Row) -> None:
    """A typing error in a filter would list, or one day delete, what was not meant."""
    aim = target(world)
    for query, field in (("perfix=org", "perfix"), ("=x", ""), ("limit", "limit")):
        if field == "limit" and row.method == "GET" and "{" not in row.path.rpartition("/")[2]:
            continue  # an empty limit of a list is wrong in another way
        url = f"{aim.fill(row.path)}?{query}"
        answer = world.admin.request(row.method, url, json=row.body or None)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid_field"), problem
        assert [error["field"] for error in problem["errors"]] == [field]
        assert "known: " in problem["detail"]


LISTS = ["/v1/roles", "/v1/roles/{role}/keys", "/v1/roles/{role}/policies", "/v1/audit"]
WRONG = [
    ("/v1/roles", "prefix="),
    ("/v1/roles", "prefix=org.*"),
    ("/v1/roles", "prefix=org%00"),
    ("/v1/roles", "prefix=" + "a" * 201),
    ("/v1/roles/{role}/keys", "state=gone"),
    ("/v1/roles/{role}/keys", "state="),
    ("/v1/roles/{role}/keys", "created_by="),
    ("/v1/roles/{role}/keys", "created_by=%00"),
    ("/v1/roles/{role}/policies", "cursor=9223372036854775808"),
    ("/v1/roles/{role}/policies", "cursor=2147483648"),
    ("/v1/roles/{role}/policies", "cursor=-1"),
    ("/v1/consents", "cursor=2147483648"),
    ("/v1/consents", "user=no%20name"),
    ("/v1/users/admin/sign-ins", "cursor=2147483648"),
    ("/v1/audit", "cursor=x"),
    ("/v1/audit", "cursor=9223372036854775808"),
    ("/v1/audit", "actor="),
    ("/v1/audit", "action=%00"),
    ("/v1/audit", "target=" + "a" * 301),
    *(
        ("/v1/audit", f"{name}={text}")
        for name in ("since", "until")
        for text in (
            "yesterday",
            "",
            "1764057600",
            "2026-11-25",
            "2026-11-25T08:00:00",
            "2026-11-25T08:00Z",
            "2026-11-25T08:00:00+01:00",  # in a query a plus is a blank
            "2026-13-25T08:00:00Z",
            "2026-11-25T24:00:01Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00%2B10:00",
            "9999-12-31T23:59:59-10:00",
            "20261125T080000Z",
            "%D9%A2026-11-25T08:00:00Z",
        )
    ),
    *((path, "limit=1&limit=2") for path in LISTS),
    *((path, "cursor=1&cursor=1") for path in LISTS),
]


@pytest.mark.parametrize(("path", "query"), WRONG, ids=[f"{path} {query[:40]}" for path, query in WRONG])
def test_a_wrong_parameter_is_named(there: World, path: str, query: str) -> None:
    answer = there.admin.get(f"{path.format(role='org.tests.none')}?{query}")
    problem = answer.json()
    name = query.partition("=")[0]
    assert (answer.status_code, problem["code"]) == (422, "invalid_field"), problem
    assert [error["field"] for error in problem["errors"]] == [name]
    assert problem["detail"].startswith(f"{name}: ")
