"""Who may manage what: an operation needs its permission for its resource; nobody hands on more."""

from __future__ import annotations

import pytest

from issuer.api import OPERATIONS
from tests.issuer.http.operations import ROWS, Row, Target, target
from tests.issuer.http.sockets import unfinished
from tests.issuer.http.world import SERVICES, World, bearer, made

each_operation = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
# It shows to each caller what they may look at, which may be nothing.
OPEN_TO_ALL = {("GET", f"/v1/{noun}") for noun in ("jobs", "roles", "users", "apps", "hygiene")}


def needed(row: Row, aim: Target) -> list[str]:
    return [aim.fill(permission) for permission in (row.permission, row.also) if permission]


def test_every_operation_has_its_row() -> None:
    assert {(row.method, row.path) for row in ROWS} == {
        (operation.method, operation.path) for operation in OPERATIONS
    }
    for operation in OPERATIONS:
        (row,) = (one for one in ROWS if (one.method, one.path) == (operation.method, operation.path))
        assert row.permission.partition("@")[0] == operation.permission.partition("@")[0]


@each_operation
def test_exactly_the_permission_is_enough(world: World, row: Row) -> None:
    aim = target(world)
    key = world.holder(*needed(row, aim))
    # With the role key itself, and with a token for the issuer.
    token_first = aim.send(world, row, world.for_issuer(key))
    assert token_first.status_code == row.status, token_first.text
    other = target(world)
    as_key = other.send(world, row, world.holder(*needed(row, other)).text)
    assert as_key.status_code == row.status, as_key.text


@each_operation
def test_everything_but_the_permission_is_not_enough(world: World, row: Row) -> None:
    aim = target(world)
    missing = aim.fill(row.permission)
    action = missing.partition("@")[0]
    others = {aim.fill(one.permission) for one in ROWS} - {missing}
    near = {f"{action}@{aim.role}x", f"{action}@org.elsewhere*"}
    if action not in ("job:create", "app:register"):  # there it is enough: what is made gets the label
        near.add(f"{action}@*[group={aim.role}]")
    key = world.holder(*others, *near, "data:*@*")
    answer = aim.send(world, row, key.text)
    if (row.method, row.path) in OPEN_TO_ALL:
        assert (answer.status_code, answer.json()["items"]) == (200, [])
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    challenge = f'Bearer error="insufficient_scope", scope="{missing}"'
    assert answer.headers["www-authenticate"] == challenge
    assert missing in answer.json()["detail"]


@each_operation
def test_a_token_for_another_service_manages_nothing(world: World, row: Row) -> None:
    aim = target(world)
    key = world.holder(aim.fill(row.permission))
    token = world.token(key, resource=SERVICES)
    answer = aim.send(world, row, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer.json()["reason"] == "wrong_audience"


@each_operation
def test_a_narrowed_role_key_or_token_does_not_do_what_its_role_may(world: World, row: Row) -> None:
    aim = target(world)
    role = world.role(aim.fill(row.permission), "data:get@*")
    narrow_key = world.key(role, scope="data:get@*")
    narrow_token = world.token(world.key(role), resource=world.url, scope="data:get@*")
    for credential in (narrow_key.text, narrow_token):
        answer = aim.send(world, row, credential)
        assert answer.status_code == (200 if (row.method, row.path) in OPEN_TO_ALL else 403)


def test_who_am_i_answers_any_live_credential(world: World) -> None:
    key = world.holder("data:get@*")
    common = {"principal": f"role:{key.role}", "client_id": key.access, "scope": "data:get@*"}
    whole = {**common, "roles": [key.role], "audience": None, "expires_at": None}
    assert world.nobody.get("/v1/me", headers=key.bearer).json() == whole
    assert world.nobody.get("/v1/me", auth=key.basic).json() == whole
    for audience in (SERVICES, world.url):
        token = world.token(key, resource=audience)
        me = world.nobody.get("/v1/me", headers=bearer(token))
        assert me.headers["cache-control"] == "no-store"
        assert me.json()["audience"] == [audience]
        assert me.json()["expires_at"].endswith("Z")
        assert {name: me.json()[name] for name in common} == common


@pytest.mark.parametrize(
    ("held", "permission", "missing"),
    [
        ("data:get@team/*", "data:get@team/a", None),
        ("data:get@team/*", "data:get@*", "data:get@*"),
        ("data:get@*", "data:*@*", "data:*@*"),
        ("data:get@*[group=A]", "data:get@*[group=A,team=x]", None),
        ("data:get@*[group=A]", "data:get@*", "data:get@*"),
        ("data:get@*", "*", "*"),
    ],
)
def test_nobody_hands_on_a_wider_policy_than_they_hold(
    world: World, held: str, permission: str, missing: str | None
) -> None:
    role = world.role()
    giver = world.holder("role-policy:create@*", held)
    answer = world.nobody.post(
        f"/v1/roles/{role}/policies", headers=giver.bearer, json={"permission": permission}
    )
    if missing is None:
        assert answer.status_code == 201
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert answer.json()["missing"] == missing
    assert world.admin.get(f"/v1/roles/{role}/policies").json()["items"] == []


@pytest.mark.parametrize(
    ("held", "scope", "is_made"),
    [
        ("data:get@*", "data:get@*", True),
        ("data:get@*", "data:get@a", True),
        ("data:get@*", "data:*@*", False),
        ("data:get@*", "data:put@a", False),
        ("app:query@*", "data:get@*", False),
    ],
)
def test_nobody_makes_or_renews_a_wider_role_key_than_they_are(
    world: World, held: str, scope: str, *, is_made: bool
) -> None:
    role = world.role("data:get@*", "data:put@*")
    maker = world.holder("role-key:create@*", "role-key:renew@*", *held.split())
    made_by_admin = world.key(role, scope=scope)
    answers = [
        world.nobody.post(f"/v1/roles/{role}/keys", headers=maker.bearer, json={"scope": scope}),
        world.nobody.post(
            f"/v1/roles/{role}/keys/{made_by_admin.access}/renew", headers=maker.bearer, json={}
        ),
    ]
    for answer, done in zip(answers, (201, 200), strict=True):
        if is_made:
            assert answer.status_code == done
            continue
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        assert answer.json()["missing"]
        assert "secret" not in answer.json()
    # A renewal that was refused ends nothing.
    assert world.exchange(made_by_admin).status_code == (401 if is_made else 200)


def test_a_role_key_that_follows_its_role_takes_the_right_to_assume_it(world: World) -> None:
    role = world.role()
    follower = world.key(role)
    keys = f"/v1/roles/{role}/keys"
    maker = world.holder("role-key:create@*", "role-key:renew@*", "data:get@*")
    # Nobody waits with a key until a role has become wider.
    early = world.nobody.post(keys, headers=maker.bearer, json={})
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    assert f"role:assume@{role}" in early.json()["detail"]
    renewal = world.nobody.post(f"{keys}/{follower.access}/renew", headers=maker.bearer, json={})
    assert (renewal.status_code, renewal.json()["code"]) == (403, "insufficient_scope")
    assert f"role:assume@{role}" in renewal.json()["detail"]
    # A key that somebody else makes stays at what the role holds then.
    made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:get@*"}))
    key = made(world.nobody.post(keys, headers=maker.bearer, json={}))
    assert key["scope"] == "data:get@*"
    made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:put@*"}))
    late = world.nobody.post(keys, headers=maker.bearer, json={})
    assert (late.status_code, late.json()["missing"]) == (403, "data:put@*")
    granted = world.nobody.post(
        "/v1/token", auth=(key["access"], key["secret"]), data={"grant_type": "client_credentials"}
    ).json()
    assert granted["scope"] == "data:get@*"
    assume = world.holder("role-key:create@*", f"role:assume@{role}")
    assert made(world.nobody.post(keys, headers=assume.bearer, json={}))["scope"] is None


def test_what_a_caller_began_before_it_ended_is_not_done(world: World) -> None:
    """Its request came in while it was good; the rest of the body comes when it is not any more."""
    role = world.role("data:get@*")
    maker = world.holder("role-key:create@*", "role:assume@*")
    with unfinished(world.url, f"/v1/roles/{role}/keys", maker.text, b'{"name": "late"}') as request:
        world.admin.delete(f"/v1/roles/{maker.role}/keys/{maker.access}").raise_for_status()
        status, body = request.finish()
    assert (status, '"invalid_token"' in body) == (401, True)
    assert world.admin.get(f"/v1/roles/{role}/keys").json()["items"] == []


def test_a_list_shows_the_roles_that_the_caller_may_look_at(world: World) -> None:
    seen, hidden = world.role(), world.role()
    looker = world.holder(f"role:get@{seen}")
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.nobody.get(
            "/v1/roles", headers=looker.bearer, params={"limit": 200, "cursor": cursor}
        ).json()
        names += [role["name"] for role in page["items"]]
        cursor = page["next_cursor"]
    assert names == [seen]
    assert hidden not in names


def test_a_cursor_names_no_role_that_the_caller_may_not_look_at(world: World) -> None:
    world.role(), world.role()
    looker = world.holder("data:get@*")
    page = world.nobody.get("/v1/roles", headers=looker.bearer, params={"limit": 1}).json()
    assert page == {"items": [], "next_cursor": None}
