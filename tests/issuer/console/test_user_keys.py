"""Role keys of users, such as the first one's, and what users may by themselves: seen, and ended."""

from __future__ import annotations

import httpx
import pytest

from issuer.store import principals, role_keys, users
from issuer.store.secrets import HashKeyInForce
from keys import RoleKey
from tests.browsers import Browser, inside
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, bearer
from verifier import Permission


@pytest.fixture
def key(world: World, user: str) -> RoleKey:
    """What `hourmarkd init` makes for its first user: a policy of its own, and a role key."""
    key = RoleKey.generate()
    with inside(world.issuer) as there, there.write("hourmarkd init") as tx:
        principal = users.get(tx.session, user).principal
        principals.add_policy(tx, principal.name, Permission.parse("data:get@own-*"))
        hash_key = HashKeyInForce(1, there.hash_key)
        role_keys.create(tx, principal, key, hash_key, name="first", scope=None, expires_at=None)
    return key


def is_good(world: World, key: RoleKey) -> bool:
    return world.nobody.get("/v1/me", headers=bearer(key.reveal())).status_code == 200


def shown(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text.replace("<wbr>", "")


def test_hygiene_leads_to_the_key_of_a_user_where_it_ends(
    world: World, user: str, key: RoleKey, signed_in: NewBrowser
) -> None:
    admin, page = signed_in(user="admin"), f"/users/{user}/keys/{key.access}"
    found = [
        row for row in world.admin.get("/v1/hygiene?limit=200").json()["items"] if not row["is_api_token"]
    ]
    assert key.access in [row["access"] for row in found]
    assert f'href="{page}"' in shown(admin, "/hygiene?finding=never_expires")
    assert f'href="{page}"' in shown(admin, f"/users/{user}")
    assert f"all that user:{user} may" in shown(admin, page)
    assert admin.press("Delete this key", {"confirm": "frist"}).status_code == 400
    assert is_good(world, key)
    assert admin.press("Delete this key", {"confirm": "first"}).headers["location"] == f"/users/{user}#keys"
    assert not is_good(world, key)
    assert admin.get(page).status_code == 404


def test_ones_own_is_on_the_account(user: str, key: RoleKey, signed_in: NewBrowser) -> None:
    browser = signed_in()
    account = shown(browser, "/")
    assert "get data whose name begins with own-" in account
    page = f"/users/{user}/keys/{key.access}"
    assert f'href="{page}"' in account
    assert browser.press("Delete this key", {"confirm": "first"}, on=page).headers["location"] == "/#keys"
    assert "Your role keys" not in shown(browser, "/")


@pytest.mark.usefixtures("key")
def test_a_user_without_a_role_may_do_what_is_its_own(world: World, user: str, signed_in: NewBrowser) -> None:
    page = shown(signed_in(user="admin"), f"/users/{user}")
    assert ("may do nothing" in page, "get data whose name begins with own-" in page) == (False, True)
    assert world.admin.get(f"/v1/users/{user}").json()["permissions"] == ["data:get@own-*"]


def test_it_is_no_api_token_and_the_answer_says_where_it_ends(world: World, user: str, key: RoleKey) -> None:
    answer = world.admin.delete(f"/v1/tokens/{key.access}")
    where = f"/v1/users/{user}/keys/{key.access}"
    assert (answer.status_code, answer.json()["detail"].endswith(f"DELETE {where}")) == (404, True)
    assert is_good(world, key)
    (listed,) = world.admin.get(f"/v1/users/{user}/keys").json()["items"]
    assert (listed["access"], listed["is_api_token"]) == (key.access, False)
    stranger = world.holder("data:get@*")
    for refused in (
        world.nobody.delete(where, headers=stranger.bearer),
        world.nobody.delete(f"/v1/tokens/{key.access}", headers=stranger.bearer),
    ):
        assert (refused.status_code, is_good(world, key)) == (403, True)
    own: httpx.Response = world.nobody.delete(where, headers=bearer(key.reveal()))
    assert (own.status_code, own.json()) == (200, {"deleted": key.access, "made": []})
    assert not is_good(world, key)
