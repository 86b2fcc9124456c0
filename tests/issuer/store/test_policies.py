from __future__ import annotations

import pytest

from issuer.store import principals, rights
from issuer.store.database import Database
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import PolicyRow
from tests.issuer.store.databases import (
    ACTOR,
    NOW,
    ROLE,
    add_key,
    indices,
    make_role,
    revoked,
    role,
    version,
    write,
)
from verifier import Permission
from verifier.scope import MAX_PARTS

OTHER = "role:org.account.other"


def add(database: Database, permission: str, name: str = ROLE) -> int:
    with write(database) as tx:
        return principals.add_policy(tx, name, Permission.parse(permission)).id


def delete(database: Database, number: int, name: str = ROLE) -> str:
    with write(database) as tx:
        return principals.delete_policy(tx, name, number)


def listed(database: Database, *, after: int = 0, limit: int = 100) -> list[str]:
    with database.read() as session:
        return [row.permission for row in principals.list_policies(session, ROLE, after=after, limit=limit)]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("job:*@[b=2,a=1]", "job:*@*[a=1,b=2]"),
        ("job:*@*[a=1,a=1]", "job:*@*[a=1]"),
        ("*:*@*", "*"),
        ("data:get@urn:hourmark:data:x", "data:get@urn:hourmark:data:x"),
    ],
)
def test_the_canonical_text_is_kept(database: Database, written: str, kept: str) -> None:
    make_role(database)
    number = add(database, written)
    with database.read() as session:
        row = session.get_one(PolicyRow, number)
        assert (row.permission, row.created_at, row.created_by) == (kept, NOW, ACTOR)
    with pytest.raises(Conflict, match="already"):
        add(database, kept)


def test_a_principal_has_no_more_policies_than_a_token_could_carry(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        for number in range(MAX_PARTS):
            principals.add_policy(tx, ROLE, Permission.parse(f"data:get@{number}"))
    with pytest.raises(Conflict, match="could not carry more"):
        add(database, "data:get@one-more")


def test_two_principals_have_the_same_policy(database: Database) -> None:
    make_role(database)
    make_role(database, name=OTHER)
    assert add(database, "job:*@*") != add(database, "job:*@*", OTHER)


def test_what_a_principal_holds(database: Database) -> None:
    make_role(database, "job:*@*", "data:get@x")
    with database.read() as session:
        held = rights.held(session, role(session))
    assert set(map(str, held.permissions)) == {"job:*@*", "data:get@x"}


def test_deleting_a_policy_ends_every_token_of_the_principal(database: Database) -> None:
    make_role(database, "data:get@x")
    make_role(database, "data:get@x", name=OTHER)
    number = add(database, "job:*@*")
    with write(database) as tx:
        first, second, other = add_key(tx), add_key(tx), add_key(tx, principal=OTHER)
    old = {*indices(database, first.access), *indices(database, second.access)}
    before = version(database)
    assert delete(database, number) == "job:*@*"
    assert revoked(database) == old
    assert version(database) == before + 1
    fresh = {*indices(database, first.access), *indices(database, second.access)}
    assert len(fresh) == 2
    assert not fresh & {*old, *indices(database, other.access)}
    assert listed(database) == ["data:get@x"]


def test_adding_a_policy_ends_nothing(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx).access
    before, held = version(database), indices(database, access)
    add(database, "job:*@*")
    assert (version(database), indices(database, access), revoked(database)) == (before, held, set())


def test_another_principals_policy_is_not_deleted(database: Database) -> None:
    make_role(database)
    make_role(database, name=OTHER)
    number = add(database, "job:*@*")
    for name, policy in ((OTHER, number), (ROLE, number + 1), ("role:org.account.none", number)):
        with pytest.raises(NotFound):
            delete(database, policy, name)
    assert listed(database) == ["job:*@*"]


def test_the_id_of_a_deleted_policy_is_not_used_again(database: Database) -> None:
    make_role(database)
    last = add(database, "job:*@*")
    delete(database, last)
    assert add(database, "job:*@*") > last


def test_pages_of_policies(database: Database) -> None:
    make_role(database)
    numbers = [add(database, f"job:get@n{number}") for number in range(5)]
    assert listed(database, limit=2) == ["job:get@n0", "job:get@n1"]
    delete(database, numbers[1])
    delete(database, numbers[3])
    assert listed(database, after=numbers[1], limit=2) == ["job:get@n2", "job:get@n4"]
    assert listed(database, after=numbers[4]) == []


def test_a_deleted_principal_has_no_policies_any_more(database: Database) -> None:
    make_role(database, "job:*@*")
    with write(database) as tx:
        principals.delete_principal(tx, ROLE)
    with pytest.raises(NotFound):
        listed(database)
    with pytest.raises(NotFound):
        add(database, "job:get@*")
