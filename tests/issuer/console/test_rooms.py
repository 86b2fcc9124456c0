"""What users do in the rooms: by the API's own operations, so by its rules."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import pytest

from issuer.console import rooms
from tests.browsers import Browser, inside
from tests.clients import register
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, bearer, made, until
from verifier import Scope

_KEY = re.compile(r"hmk_[0-9A-Za-z]{16}:[0-9A-Za-z]{38}")


@pytest.fixture
def admin(signed_in: NewBrowser) -> Browser:
    return signed_in(user="admin")


@pytest.fixture
def reader(world: World, user: str, signed_in: NewBrowser) -> Browser:
    """Somebody who may look at the roles of one account, and do nothing with them."""
    role = world.role("role:get@org.seen.*")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": role}))
    return signed_in()


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text.replace("<wbr>", "")


def signing_keys(world: World) -> dict[str, dict[str, str]]:
    """Those of the tokens."""
    items = world.admin.get("/v1/signing-keys").json()["items"]
    return {key["kid"]: key for key in items if key["ring"] == "tokens"}


def is_good(world: World, key: str) -> bool:
    return world.nobody.get("/v1/me", headers=bearer(key)).status_code == 200


def unique(prefix: str) -> str:
    return f"{prefix}{uuid4().hex[:8]}"


def test_a_role_from_its_name_to_its_end(world: World, admin: Browser) -> None:
    name = unique("org.rooms.r")
    assert admin.press("Make role", {"name": "short"}, on="/new-role").status_code == 400
    assert admin.press("Make role", {"name": name}, on="/new-role").headers["location"] == f"/roles/{name}"
    page = f"/roles/{name}"
    for policy, status in (("data:get@my-set", 303), ("data:get@my-set", 400), ("nonsense", 400)):
        assert admin.press("Add policy", {"permission": policy}, on=page).status_code == status
    key = admin.press("Make role key", {"name": "ci", "expires": "7"}, on=f"{page}/keys/new")
    (first,) = set(_KEY.findall(key.text))
    assert world.nobody.get("/v1/me", headers=bearer(first)).json()["scope"] == "data:get@my-set"
    key_page = f"{page}/keys/{first.partition(':')[0]}"
    assert "cannot be shown again" in text_of(admin, key_page)
    (second,) = set(_KEY.findall(admin.press("Renew").text))
    assert (is_good(world, first), is_good(world, second)) == (False, True)
    assert admin.press("Delete this key", {"confirm": "CI"}, on=key_page).status_code == 400
    assert admin.press("Delete this key", {"confirm": "ci"}, on=key_page).status_code == 303
    assert not is_good(world, second)
    assert admin.press("Delete the policy data:get@my-set", on=page).status_code == 303
    assert admin.press("Delete this role", {"confirm": name}, on=page).headers["location"] == "/roles"
    assert admin.get(page).status_code == 404


def test_a_role_shows_which_outside_identities_become_it(world: World, admin: Browser) -> None:
    role = world.role("data:get@*")
    assert f"hourmark role trust new {role}" in text_of(admin, f"/roles/{role}")
    policy = {
        "issuer": "https://ci.example",
        "subject": "repo:org/name:ref:main",
        "claims": {"repository_id": "7"},
    }
    made(world.admin.post(f"/v1/roles/{role}/trust", json=policy))
    page = text_of(admin, f"/roles/{role}").replace("<wbr>", "")
    for said in ("https://ci.example", "repo:org/name:ref:main", "repository_id=7"):
        assert said in page


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("data:get@my-set", ("<strong>Yes.</strong>", "data:*@my-*")),
        ("data:get@other", ("<strong>No.</strong>", "is for names that begin with my-, not for other")),
        ("data:get@*", ("ask about one action on one resource",)),
        ("nonsense", ("is not a permission",)),
    ],
)
def test_may_this_role(world: World, admin: Browser, asked: str, says: tuple[str, ...]) -> None:
    role = world.role("data:*@my-*")
    page = text_of(admin, f"/roles/{role}?may={asked}")
    for part in says:
        assert part in page


def test_a_key_is_made_and_renewed_only_by_who_proved_it_lately(world: World, signed_in: NewBrowser) -> None:
    old, role = signed_in(user="admin", at=int(time.time()) - 3600), world.role("data:get@*")
    key = world.key(role)
    for path in (f"/roles/{role}/keys/{key.access}/renew", "/signing-keys/rotate"):
        old.get("/session")
        assert "Confirm that it is you" in old.send(path).text, path
    assert world.nobody.get("/v1/me", headers=key.bearer).status_code == 200


def test_what_one_may_not_look_at_is_not_there(world: World, reader: Browser) -> None:
    role, job = world.role("data:get@*"), made(world.admin.post("/v1/jobs", json={"role": world.role()}))
    key, name = world.key(role), unique("app-")
    made(world.admin.post("/v1/apps", json={"name": name, "redirect_uris": ["https://a.example/"]}))
    seen = f"org.seen.{unique('r')}"
    made(world.admin.post("/v1/roles", json={"name": seen}))
    for path in (
        f"/roles/{role}",
        f"/roles/{role}/keys/{key.access}",
        f"/jobs/{job['id']}",
        f"/apps/{name}",
        "/users/admin",
        "/audit",
        "/signing-keys",
    ):
        assert reader.get(path).status_code == 404, path
    for path in (
        f"/roles/{role}/delete",
        f"/roles/{role}/policies",
        f"/roles/{role}/keys/{key.access}/delete",
        f"/jobs/{job['id']}/end",
        f"/apps/{name}/delete",
        "/users/admin/disable",
        "/users/admin/invite",
    ):
        reader.get("/session")
        assert reader.send(path, {"confirm": role}).status_code == 404, path
    page = text_of(reader, "/roles")
    assert (seen in page, role in page) == (True, False)
    # What it may look at and not change says which permission is missing.
    reader.get("/session")
    answer = reader.send(f"/roles/{seen}/delete", {"confirm": seen})
    assert (answer.status_code, f"role:delete@{seen}" in answer.text.replace("<wbr>", "")) == (403, True)


def test_a_job_is_labelled_and_ended(world: World, admin: Browser) -> None:
    job = made(world.admin.post("/v1/jobs", json={"role": world.role(), "labels": {"stage": "test"}}))
    page = f"/jobs/{job['id']}"
    assert "stage=test" in text_of(admin, page)
    assert admin.press("Change the labels", {"labels": "stage=live team=a"}, on=page).status_code == 303
    for labels in ("stage", "a=1 a=2", "hourmark/id=x", "ä=b"):
        assert admin.press("Change the labels", {"labels": labels}, on=page).status_code == 400
    found = world.admin.get(f"/v1{page}").json()["labels"]
    assert {name: found[name] for name in ("stage", "team")} == {"stage": "live", "team": "a"}
    assert job["id"] in text_of(admin, "/jobs?state=running")
    assert admin.press("End this job", on=page).status_code == 303
    assert "End this job" not in text_of(admin, page)


def test_an_app_is_registered_changed_and_deleted(world: World, admin: Browser) -> None:
    name = unique("app-")
    form = {
        "name": name,
        "scope": "data:get@a\ndata:get@b",
        "redirect_uris": "https://app.example/one\nhttps://app.example/two",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    assert admin.press("Register", form | {"jwks": "{"}, on="/new-app").status_code == 400
    assert admin.press("Register", form | {"labels": "group"}, on="/new-app").status_code == 400
    assert admin.press("Register", form | {"host": "Not A Host"}, on="/new-app").status_code == 400
    shown = admin.press("Register", form, on="/new-app")
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    first = re.findall(r"hmx_[0-9A-Za-z]+", shown.text)
    page = f"/apps/{name}"
    admin.press("Save", form | {"labels": "group=A\nteam=x"}, on=page)
    labels = world.admin.get(f"/v1/apps/{name}").json()["labels"]
    assert {name: value for name, value in labels.items() if "/" not in name} == {"group": "A", "team": "x"}
    assert admin.press("Save", form | {"scope": "data:get@a"}, on=page).status_code == 303
    assert world.admin.get(f"/v1{page}").json()["scope"] == "data:get@a"
    second = re.findall(r"hmx_[0-9A-Za-z]+", admin.press("Make a new secret", on=page).text)
    assert (len(first), len(second), first == second) == (1, 1, False)
    assert admin.press("Delete this app", {"confirm": name}, on=page).headers["location"] == "/apps"
    assert admin.get(page).status_code == 404


def test_a_user_from_the_invitation_to_the_end(world: World, admin: Browser, signed_in: NewBrowser) -> None:
    name, role = unique("grace-"), world.role("data:get@*")
    page = f"/users/{name}"
    assert admin.press("Make user", {"name": "not a name"}, on="/new-user").status_code == 400
    assert admin.press("Make user", {"name": name}, on="/new-user").headers["location"] == page
    assert admin.press("Save", {"display_name": "Grace Hopper", "email": ""}, on=page).status_code == 303
    assert admin.press("Give", {"role": role}, on=page).status_code == 303
    assert admin.press("Give", {"role": "org.nobody.x"}, on=page).status_code == 400
    link = admin.press("Invite", on=page)
    assert f"{world.url}/setup?invitation=hmi_" in link.text
    theirs = signed_in(user=name)
    assert "Grace Hopper" in text_of(theirs, "/")
    assert admin.press(f"Take the role {role}", on=page).status_code == 303
    for button in ("Disable", "Enable"):
        assert admin.press(button, on=page).status_code == 303
        assert theirs.get("/").status_code == 303
    assert admin.press("Delete this user", {"confirm": name}, on=page).headers["location"] == "/users"
    assert admin.press("Disable", on="/users/admin").status_code == 400, "nobody shuts themselves out"


def test_the_audit_log_is_filtered_and_its_chain_checked(world: World, admin: Browser) -> None:
    role = world.role("data:get@*")
    page = text_of(admin, f"/audit?target=role:{role}")
    assert ("principal:create" in page, "role-policy:create" in page) == (True, True)
    assert "role-policy:create" not in text_of(admin, f"/audit?target=role:{role}&action=principal:create")
    assert admin.get("/audit?since=yesterday").status_code == 400
    app = register(world)
    with inside(world.issuer) as there, there.write("user:admin", app.client_id) as tx:
        tx.audit("job:label", role, labels={"stage": "test"}, ends_at=1795680000, grace_seconds=3600)
    page = text_of(admin, f"/audit?client_id={app.client_id}")
    for words in ("labels: stage=test", ">26 Nov 2026, 08:00 UTC<", "grace seconds: in an hour"):
        assert words in page, words
    assert (page.count(f'aria-label="All that {app.name} did"'), "job:label" in page) == (1, True)
    assert 'href="/audit?client_id=' + app.client_id in text_of(admin, f"/audit?target={role}")
    assert "It holds." in text_of(admin, "/audit?check=chain")


def test_a_list_goes_on_where_it_ended(world: World, admin: Browser) -> None:
    prefix = unique("org.many")
    for number in range(51):
        made(world.admin.post("/v1/roles", json={"name": f"{prefix}.x.r{number:02}"}))
    first = text_of(admin, f"/roles?prefix={prefix}")
    (more,) = re.findall(r'href="(/roles\?[^"]*cursor[^"]*)"', first)
    second = text_of(admin, more.replace("&amp;", "&"))
    assert [f"{prefix}.x.r50" in page for page in (first, second)] == [False, True]
    assert f'href="/roles?prefix={prefix}"' in second


def test_a_role_shows_its_newest_keys_and_leads_to_the_others(world: World, admin: Browser) -> None:
    role = world.role("data:get@*")
    keys = {world.key(role).access for _ in range(51)}
    page = text_of(admin, f"/roles/{role}")
    first = {access for access in keys if f"/keys/{access}" in page}
    assert (len(first), f'href="/roles/{role}?keys=50#keys">More' in page) == (50, True)
    rest = text_of(admin, f"/roles/{role}?keys=50")
    assert {access for access in keys if f"/keys/{access}" in rest} == keys - first


def test_a_role_shows_its_newest_policies_and_asks_all_of_them(world: World, admin: Browser) -> None:
    names = [f"n{number:02}" for number in range(51)]
    role = world.role(*(f"data:get@{name}" for name in names))
    page, rest = (text_of(admin, f"/roles/{role}{query}") for query in ("", "?policies=50"))
    shown = {name for name in names if f"<code>data:get@{name}</code>" in page}
    assert (len(shown), f'href="/roles/{role}?policies=50#policies">More' in page) == (50, True)
    assert {name for name in names if f"<code>data:get@{name}</code>" in rest} == {*names} - shown
    for name in (names[0], names[-1]):
        assert "<strong>Yes.</strong>" in text_of(admin, f"/roles/{role}?may=data%3Aget%40{name}")


def test_the_next_signing_key_is_asked_to_sign_early(world: World, admin: Browser) -> None:
    until(lambda: len(signing_keys(world)) > 1)
    before = signing_keys(world)
    page = text_of(admin, "/signing-keys")
    for title in ("Tokens and status lists", "Tokens for docker registries", "ID tokens by"):
        assert (title in page) == (title != "ID tokens by"), title
    assert admin.press("Rotate now", on="/signing-keys").status_code == 303
    after = signing_keys(world)
    (waiting,) = (kid for kid, key in before.items() if key["phase"] == "next")
    assert after[waiting]["signs_from"] < before[waiting]["signs_from"]
    admin.get("/signing-keys")
    assert admin.send("/signing-keys/rotate", {"ring": "nothing"}).status_code == 400


def test_what_is_worth_a_look(world: World, admin: Browser) -> None:
    role = world.role("data:*@*")
    forever, tidy = world.key(role, name=unique("forever-")), unique("tidy-")
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    world.key(role, name=tidy, scope="data:get@x", expires_at=later)
    found = {
        item["access"]: item for item in world.admin.get("/v1/hygiene", params={"limit": 200}).json()["items"]
    }
    assert found[forever.access]["findings"] == ["never_expires", "broad"]
    assert tidy not in {item["name"] for item in found.values()}
    assert forever.access in text_of(admin, "/hygiene?finding=broad")
    assert forever.access not in text_of(admin, "/hygiene?finding=unused")


def test_nobody_finds_a_door_to_what_they_may_not_see() -> None:
    own = ["account", "session", "tokens", "authorised-apps"]
    for scope, also in (
        ("", []),
        ("role:get@org.x.y job:*@*[team=a]", ["roles", "jobs"]),
        ("role:create@* user:get@ada", ["users"]),
        ("*", ["roles", "jobs", "apps", "users", "hygiene", "audit", "signing-keys"]),
    ):
        assert [room.name for room in rooms.of(Scope.parse(scope))] == [*own, *also]
