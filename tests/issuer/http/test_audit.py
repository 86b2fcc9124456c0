"""The audit log over HTTP: who changed what, newest first, and whether the chain holds."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.browsers import signed_in
from tests.clients import as_oneself, register
from tests.issuer.http.world import World, bearer, made, open_world


def entries(world: World, **params: Any) -> list[Any]:
    """All pages."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.admin.get("/v1/audit", params={**params, "cursor": cursor}).raise_for_status().json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found


def test_what_was_done_is_told_newest_first(there: World) -> None:
    admin = there.issuer.admin_key.partition(":")[0]
    role = there.role("data:get@*")
    key = there.key(role, name="for tests")
    there.admin.delete(f"/v1/roles/{role}/keys/{key.access}").raise_for_status()
    there.admin.delete(f"/v1/roles/{role}").raise_for_status()
    told = entries(there, target=f"role:{role}")
    assert [(entry["action"], entry["detail"]) for entry in told] == [
        ("principal:delete", {"made": [], "role_keys": []}),
        ("role-key:delete", {"access": key.access, "made": []}),
        ("role-key:create", {"access": key.access, "name": "for tests", "scope": None}),
        ("role-policy:create", {"permission": "data:get@*"}),
        ("principal:create", {}),
    ]
    assert {entry["actor"] for entry in told} == {admin}
    assert [entry["number"] for entry in told] == sorted((entry["number"] for entry in told), reverse=True)
    assert key.secret not in json.dumps(told)


def test_the_log_is_paged_while_it_grows(there: World) -> None:
    for _ in range(3):
        there.role("data:get@*")
    first = there.admin.get("/v1/audit", params={"limit": 2}).json()
    there.role("data:get@*")
    second = there.admin.get("/v1/audit", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    numbers = [entry["number"] for entry in (*first["items"], *second["items"])]
    assert numbers == list(range(numbers[0], numbers[0] - 4, -1))
    whole = [entry["number"] for entry in entries(there, limit=200)]
    assert whole == list(range(len(whole), 0, -1))
    assert there.admin.get("/v1/audit", params={"cursor": "1"}).json() == {"items": [], "next_cursor": None}


def test_the_log_is_filtered(there: World) -> None:
    role = there.role("data:get@*", "data:put@*")
    key = there.holder("role-policy:create@*", "data:*@*")
    path = f"/v1/roles/{role}/policies"
    there.nobody.post(path, headers=key.bearer, json={"permission": "data:end@*"}).raise_for_status()
    target = f"role:{role}"
    assert [entry["detail"]["permission"] for entry in entries(there, actor=key.access)] == ["data:end@*"]
    added = entries(there, target=target, action="role-policy:create", limit=2)
    assert [entry["detail"]["permission"] for entry in added] == ["data:end@*", "data:put@*", "data:get@*"]
    assert entries(there, target=target, action="role-policy:delete") == []
    assert entries(there, actor="somebody") == []
    made = added[-1]["at"]
    assert {entry["number"] for entry in added} <= {
        entry["number"] for entry in entries(there, since=made, target=target)
    }
    assert entries(there, until=made, target=target, action="role-policy:create") == []
    tomorrow = datetime.fromtimestamp(time.time() + 86400, UTC)
    assert entries(there, since=tomorrow.isoformat()) == []
    # The same moment as another clock writes it.
    assert entries(there, until=tomorrow.strftime("%Y-%m-%dt%H:%M:%S.123z"), target=target) != []


def test_whoever_kept_the_rows_can_check_the_chain(world: World) -> None:
    world.role("data:get@*")
    rows = list(reversed(entries(world, limit=200)))
    previous = ""
    for row in rows:
        assert row["previous_hash"] == previous
        at = int(datetime.fromisoformat(row["at"]).timestamp())
        detail = json.dumps(row["detail"], sort_keys=True)
        fields = [row["number"], at, row["actor"], row["action"], row["target"], detail, previous]
        if row["client_id"] is not None:
            fields.append(row["client_id"])
        previous = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
        assert row["hash"] == previous


def test_a_chain_that_holds(there: World) -> None:
    there.role()
    chain = there.admin.get("/v1/audit/chain").json()
    # The issuer may write a row of its own in between.
    newest = next(row for row in entries(there, limit=200) if row["number"] <= chain["rows"])
    assert chain == {
        "holds": True,
        "rows": newest["number"],
        "head_hash": newest["hash"],
        "first_broken": None,
    }


def test_a_chain_that_was_tampered_with(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        world.role("data:get@*", "data:put@*")
        rows = world.admin.get("/v1/audit/chain").json()["rows"]
        with closing(sqlite3.connect(tmp_path / "data" / "hourmark.db")) as database, database:
            database.execute("UPDATE audit SET actor = 'somebody' WHERE number = 2")
        chain = world.admin.get("/v1/audit/chain").json()
        assert (chain["holds"], chain["rows"], chain["first_broken"]) == (False, rows, 2)
        assert entries(world, actor="somebody")[0]["number"] == 2


@pytest.mark.parametrize("path", ["/v1/audit", "/v1/audit/chain"])
def test_the_log_is_not_for_everybody(world: World, path: str) -> None:
    for near in ("audit:read@org.tests*", "audit:list@*", "audit:read@*[group=A]"):
        answer = world.nobody.get(path, headers=world.holder(near).bearer)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert world.nobody.get(path, headers=world.holder("audit:read@*").bearer).status_code == 200


def test_what_an_app_does_for_a_user_is_told_of_both(world: World) -> None:
    user, role = f"u{uuid4().hex[:12]}", f"org.tests.{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": user}))
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": world.role("role:*@org.tests.*")}))
    app = register(world, "role:create@org.tests.*")
    with signed_in(world.issuer, user) as browser:
        token = app.sign_in(browser, scope="role:create@org.tests.*", resource=world.url)["access_token"]
        mine = as_oneself(world, browser)
    made(world.nobody.post("/v1/roles", json={"name": role}, headers=bearer(token)))
    (row,) = entries(world, target=f"role:{role}")
    assert (row["actor"], row["client_id"], row["client_name"]) == (f"user:{user}", app.client_id, app.name)
    assert entries(world, client_id=app.client_id, actor=f"user:{user}") == [row]
    made(world.nobody.post("/v1/roles", json={"name": f"{role}-2"}, headers=mine))
    (alone,) = entries(world, target=f"role:{role}-2")
    assert (alone["actor"], alone["client_id"], alone["client_name"]) == (f"user:{user}", None, None)
    assert world.admin.get("/v1/audit/chain").json()["holds"]
    with signed_in(world.issuer, "admin") as browser:
        page = browser.get(f"/audit?target=role:{role}").text.replace("<wbr>", "")
    assert f'{app.name}</a> <span class="quiet">for</span> user:{user}' in page
