"""What a user may do follows the roles, and every token that was issued under more ends at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from issuer.store import principals, refusals, rights, role_keys, users
from issuer.store.database import Database, Transaction
from issuer.store.users import User
from keys import RoleKey
from tests.issuer.store import databases
from tests.issuer.store.databases import ROLE, add_key, count, indices, make_role, revoked, role, write
from verifier import Permission

database = databases.database
OTHER = "role:org.account.other"
USER = "user:ada"


@pytest.fixture
def key(database: Database) -> RoleKey:
    """The role key of a user who holds two roles, of which one has two permissions."""
    make_role(database, "job:*@*", "data:get@x")
    make_role(database, "app:get@*", name=OTHER)
    with write(database) as tx:
        user = users.create(tx, "ada", display_name="Ada", email="ada@people.example")
        for name in (ROLE, OTHER):
            users.give_role(tx, user, role(tx.session, name))
        return add_key(tx, principal=USER)


def held(database: Database) -> set[str]:
    with database.read() as session:
        return set(map(str, rights.held(session, role(session, USER)).permissions))


def first_policy(tx: Transaction) -> int:
    return principals.list_policies(tx.session, ROLE, after=0, limit=1)[0].id


def ada(tx: Transaction) -> User:
    return users.get(tx.session, "ada")


def test_a_user_may_what_all_roles_together_may(database: Database, key: RoleKey) -> None:
    assert held(database) == {"job:*@*", "data:get@x", "app:get@*"}
    with database.read() as session:
        loaded = role_keys.load(session, key.access)
        assert loaded is not None
        assert {name: str(scope) for name, scope in loaded.roles.items()} == {
            "org.account.ci": "data:get@x job:*@*",
            "org.account.other": "app:get@*",
        }
        assert [holder.name for holder in rights.holders(session, role(session))] == [USER]


def test_own_policies_count_beside_those_of_the_roles(database: Database, key: RoleKey) -> None:
    with write(database) as tx:
        principals.add_policy(tx, USER, Permission.parse("user:get@*"))
    assert held(database) == {"job:*@*", "data:get@x", "app:get@*", "user:get@*"}
    with database.read() as session:
        loaded = role_keys.load(session, key.access)
        assert loaded is not None
        # What is somebody's own is no role's.
        assert {name: str(scope) for name, scope in loaded.roles.items()} == {
            "org.account.ci": "data:get@x job:*@*",
            "org.account.other": "app:get@*",
        }


def test_a_role_is_its_own_only_role(database: Database) -> None:
    make_role(database, "job:*@*", "data:get@x")
    with write(database) as tx:
        key_of_role = add_key(tx)
    with database.read() as session:
        loaded = role_keys.load(session, key_of_role.access)
        assert loaded is not None
        assert loaded.roles == {"org.account.ci": loaded.held}
        # One value, kept once: a process knows many thousand role keys.
        assert loaded.roles["org.account.ci"] is loaded.held


NARROWINGS: dict[str, Callable[[Transaction], object]] = {
    "a role is taken": lambda tx: users.take_role(tx, ada(tx), role(tx.session)),
    "a role's policy is deleted": lambda tx: principals.delete_policy(tx, ROLE, first_policy(tx)),
    "a role is deleted": lambda tx: principals.delete_principal(tx, ROLE),
    "the user is disabled": lambda tx: users.disable(tx, ada(tx)),
    "the user is deleted": lambda tx: users.delete_user(tx, ada(tx)),
}


@pytest.mark.parametrize("narrow", NARROWINGS.values(), ids=NARROWINGS.keys())
def test_whatever_narrows_a_user_ends_the_tokens_from_before(
    database: Database, key: RoleKey, narrow: Callable[[Transaction], object]
) -> None:
    before = indices(database, key.access)
    with write(database) as tx:
        narrow(tx)
    assert revoked(database) >= set(before)


WIDENINGS: dict[str, Callable[[Transaction], object]] = {
    "a role's policy is added": lambda tx: principals.add_policy(tx, ROLE, Permission.parse("job:x@y")),
    "a profile is changed": lambda tx: users.set_profile(tx, ada(tx), display_name="A.", email=None),
}


@pytest.mark.parametrize("widen", WIDENINGS.values(), ids=WIDENINGS.keys())
def test_what_narrows_nobody_ends_nothing(
    database: Database, key: RoleKey, widen: Callable[[Transaction], object]
) -> None:
    before = indices(database, key.access)
    with write(database) as tx:
        widen(tx)
    assert (indices(database, key.access), revoked(database)) == (before, set())


def test_a_disabled_users_role_key_opens_nothing_until_the_user_is_enabled(
    database: Database, key: RoleKey
) -> None:
    with write(database) as tx:
        users.disable(tx, ada(tx))
        users.disable(tx, ada(tx))
    with database.read() as session:
        assert role_keys.load(session, key.access) is None
    with write(database) as tx:
        users.enable(tx, ada(tx))
    with database.read() as session:
        assert role_keys.load(session, key.access) is not None
    # Its tokens from before do not come back.
    assert len(revoked(database)) == 1
    assert revoked(database).isdisjoint(indices(database, key.access))


def test_the_end_of_a_user_leaves_nothing_personal(database: Database, key: RoleKey) -> None:
    with write(database) as tx:
        accesses = users.delete_user(tx, ada(tx)).keys
    assert accesses == [key.access]
    assert (count(database, "user_account"), count(database, "membership"), count(database, "role_key")) == (
        0,
        0,
        0,
    )
    with write(database) as tx, pytest.raises(refusals.Conflict, match="never used again"):
        users.create(tx, "ada")


def test_the_end_of_a_role_leaves_its_holders(database: Database, key: RoleKey) -> None:
    del key
    with write(database) as tx:
        seen = ada(tx).principal.version
        principals.delete_principal(tx, ROLE)
    assert held(database) == {"app:get@*"}
    with database.read() as session:
        user = users.get(session, "ada")
        assert [each.name for each, _ in users.memberships(session, user)] == [OTHER]
        assert user.principal.version > seen
