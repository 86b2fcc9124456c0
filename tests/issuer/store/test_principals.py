from __future__ import annotations

import pytest
from sqlmodel import select

from issuer.store import principals, rights, role_keys
from issuer.store.database import Database
from issuer.store.names import InvalidName, check_role_name, check_user_name
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import Principal
from tests.issuer.store.databases import (
    ACTOR,
    NOW,
    ROLE,
    add_key,
    count,
    indices,
    make_role,
    revoked,
    role,
    version,
    write,
)
from verifier import Permission
from verifier.permission import EVERYTHING

ROLE_NAMES = {
    "org.account.ci": True,
    "a.b.c": True,
    "Org-1.my_account.ci.linux.x86-64": True,
    "0.0.0": True,
    "o.a." + "n" * 196: True,
    "o.a." + "n" * 197: False,
    "": False,
    "org": False,
    "org.account": False,
    "org.account.": False,
    ".org.account.ci": False,
    "org..account.ci": False,
    "org.account.-ci": False,
    "org.account._ci": False,
    "org.account.ci\n": False,
    "org.account.c i": False,
    "org.account.c@i": False,
    "org.account.*": False,
    "org.account/ci.x": False,
    "org.account.cï": False,
    "org.account.٣": False,
    "role:org.account.ci": False,
}
USER_NAMES = {
    "admin": True,
    "ada.lovelace": True,
    "a" * 200: True,
    "a" * 201: False,
    "": False,
    "ada.": False,
    "ada lovelace": False,
    "user:ada": False,
    "ada\x00": False,
    "ada@example": False,
}


@pytest.mark.parametrize(("name", "is_good"), ROLE_NAMES.items())
def test_role_names(name: str, is_good: bool) -> None:
    if is_good:
        assert check_role_name(name) == name
    else:
        with pytest.raises(InvalidName, match=r"ORG\.ACCOUNT\.NAME"):
            check_role_name(name)


@pytest.mark.parametrize(("name", "is_good"), USER_NAMES.items())
def test_user_names(name: str, is_good: bool) -> None:
    if is_good:
        assert check_user_name(name) == name
    else:
        with pytest.raises(InvalidName, match="is not a user name"):
            check_user_name(name)


def test_a_refused_name_is_not_quoted_at_length() -> None:
    with pytest.raises(InvalidName) as refused:
        check_role_name("x" * 100_000)
    assert len(str(refused.value)) < 500


def test_a_principal_says_when_and_by_whom_it_was_made(database: Database) -> None:
    make_role(database)
    with database.read() as session:
        made = principals.get(session, ROLE)
        assert (made.name, made.created_at, made.created_by, made.deleted_at) == (ROLE, NOW, ACTOR, None)


def test_a_name_that_is_taken(database: Database) -> None:
    make_role(database)
    with pytest.raises(Conflict, match="exists already"):
        make_role(database)
    assert count(database, "principal") == 1


def test_a_name_is_never_used_again(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        principals.delete_principal(tx, ROLE)
    with pytest.raises(Conflict, match="never used again"):
        make_role(database)


def test_names_that_differ_in_case_are_two(database: Database) -> None:
    make_role(database, "job:get@*")
    make_role(database, "job:end@*", name=ROLE.upper().replace("ROLE:", "role:"))
    with database.read() as session:
        assert str(rights.held(session, role(session))) == "job:get@*"


def test_deleting_takes_policies_and_role_keys_along(database: Database) -> None:
    make_role(database, "job:*@*", "data:get@*")
    make_role(database, "job:*@*", name="role:org.account.other")
    with write(database) as tx:
        first, second = add_key(tx), add_key(tx)
        other = add_key(tx, principal="role:org.account.other")
    dead = {*indices(database, first.access), *indices(database, second.access)}
    before = version(database)
    with write(database, NOW + 5) as tx:
        gone = principals.delete_principal(tx, ROLE)
        assert (set(gone.keys), gone.made) == ({first.access, second.access}, [])
    assert revoked(database) == dead
    assert version(database) == before + 1
    assert (count(database, "policy"), count(database, "role_key"), count(database, "secret")) == (1, 1, 1)
    with database.read() as session:
        assert role_keys.load(session, first.access) is None
        assert role_keys.load(session, other.access) is not None
        row = session.exec(select(Principal).where(Principal.name == ROLE)).one()
        assert row.deleted_at == NOW + 5, "the row outlives the principal"


def test_what_is_deleted_is_not_found(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        principals.delete_principal(tx, ROLE)
    with database.read() as session, pytest.raises(NotFound, match=f"there is no {ROLE}"):
        principals.get(session, ROLE)
    with pytest.raises(NotFound), write(database) as tx:
        principals.delete_principal(tx, ROLE)


def test_pages_of_roles_while_roles_come_and_go(database: Database) -> None:
    names = [f"role:org.account.n{number:02}" for number in range(10)]
    for name in reversed(names):
        make_role(database, name=name)
    make_role(database, name="user:org.account.n03")
    with write(database) as tx:
        principals.delete_principal(tx, names[4])
    seen: list[str] = []
    while len(seen) < 20:
        with database.read() as session:
            page = [
                row.name
                for row in principals.list_roles(
                    session, within=[EVERYTHING], after=seen[-1] if seen else "", limit=3
                )
            ]
        if not page:
            break
        seen += page
        if len(seen) == 3:
            with write(database) as tx:
                principals.delete_principal(tx, names[1])
                principals.delete_principal(tx, names[8])
                principals.create(tx, "role:org.account.n00-behind-us")
                principals.create(tx, "role:org.account.n07-before-us")
    after = "role:org.account.n07-before-us"
    assert seen == [*names[:4], *names[5:8], after, names[9]]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["a_b", "aab", "Aab"]),
        ("org.account.a", ["a_b", "aab"]),
        ("org.account.a_", ["a_b"]),
        ("org.account.A", ["Aab"]),
        ("org.account.a%", []),
        ("rg", []),
    ],
)
def test_roles_whose_names_begin_so(database: Database, prefix: str, found: list[str]) -> None:
    for name in ("a_b", "aab", "Aab"):
        make_role(database, name=f"role:org.account.{name}")
    make_role(database, name="user:org.account.aac")
    with database.read() as session:
        listed = principals.list_roles(session, within=[EVERYTHING], after="", limit=10, prefix=prefix)
        assert {row.name for row in listed} == {f"role:org.account.{name}" for name in found}


def versioned(database: Database, name: str = ROLE) -> int:
    with database.read() as session:
        return principals.get(session, name).version


def test_every_change_of_a_role_or_its_policies_raises_its_version(database: Database) -> None:
    make_role(database)
    make_role(database, name="role:org.account.other")
    assert versioned(database) == 1
    with write(database) as tx:
        policy = principals.add_policy(tx, ROLE, Permission.parse("job:get@*")).id
    assert versioned(database) == 2
    with write(database) as tx:
        principals.delete_policy(tx, ROLE, policy)
    assert versioned(database) == 3
    with write(database) as tx:
        key = add_key(tx)
    with pytest.raises(Conflict), write(database) as tx:  # noqa: PT012 - the block is what is tested
        principals.add_policy(tx, ROLE, Permission.parse("job:get@*"))
        principals.add_policy(tx, ROLE, Permission.parse("job:get@*"))
    with write(database) as tx:
        role_keys.delete_key(tx, role(tx.session), key.access)
    assert (versioned(database), versioned(database, "role:org.account.other")) == (3, 1)
