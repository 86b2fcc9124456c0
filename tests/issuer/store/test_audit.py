from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

import pytest
from sqlalchemy import event
from sqlmodel import select

from issuer.store import audit, principals, refusals, role_keys, signing_keys
from issuer.store.audit import Chain
from issuer.store.database import Database, Transaction
from issuer.store.tables import AuditRow
from keys import SigningKey
from tests.issuer.store.databases import (
    ACTOR,
    KEK,
    NOW,
    ROLE,
    add_key,
    count,
    delete_key,
    execute,
    indices,
    make_role,
    renew,
    role,
    write,
)
from verifier import Permission

OTHER = "role:org.account.other"


def rows(database: Database) -> list[AuditRow]:
    with database.read() as session:
        found = list(session.exec(select(AuditRow).order_by(AuditRow.number)))  # type: ignore[arg-type]
        session.expunge_all()
        return found


def broken(database: Database) -> int | None:
    with database.read() as session:
        return audit.check_chain(session).first_broken


def fill(database: Database, number: int = 5) -> None:
    for turn in range(number):
        make_role(database, name=f"role:org.account.n{turn}")


def test_an_empty_chain_holds(database: Database) -> None:
    with database.read() as session:
        assert audit.check_chain(session) == Chain(rows=0, head_hash=None, first_broken=None)


def test_a_chain_tells_its_length_and_its_head(database: Database) -> None:
    fill(database)
    newest = rows(database)[-1]
    with database.read() as session:
        assert audit.check_chain(session) == Chain(5, newest.hash, None)
    execute(database, "UPDATE audit SET at = at + 1 WHERE number IN (2, 4)")
    with database.read() as session:
        assert audit.check_chain(session) == Chain(5, newest.hash, 2)


@contextmanager
def when_loaded(do: Callable[[AuditRow], object]) -> Iterator[None]:
    """Calls `do` with every row that is read."""

    def loaded(row: AuditRow, _: object) -> None:
        do(row)

    event.listen(AuditRow, "load", loaded)
    try:
        yield
    finally:
        event.remove(AuditRow, "load", loaded)


def test_a_long_chain_is_not_in_memory_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_BATCH", 4)
    fill(database, 30)
    alive: WeakValueDictionary[int, AuditRow] = WeakValueDictionary()
    numbers: list[int] = []

    def note(row: AuditRow) -> None:
        alive[id(row)] = row
        numbers.append(len(alive))

    with when_loaded(note), database.read() as session:
        assert audit.check_chain(session).rows == 30
    assert len(numbers) == 30
    assert max(numbers) <= 2 * 4


def test_what_is_added_meanwhile_is_not_of_the_chain_that_is_checked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_BATCH", 2)
    fill(database)
    to_add = [OTHER]

    def add(_: AuditRow) -> None:
        if to_add:
            make_role(database, name=to_add.pop())

    with when_loaded(add), database.read() as session:
        chain = audit.check_chain(session)
    assert (chain.rows, chain.first_broken) == (5, None)
    assert len(rows(database)) == 6


def test_a_row_says_who_did_what_to_what_and_when(database: Database) -> None:
    make_role(database, "job:get@*")
    first, second = rows(database)
    assert (first.number, first.at, first.actor, first.action) == (1, NOW, ACTOR, "principal:create")
    assert (first.target, first.detail, first.previous_hash) == (ROLE, "{}", "")
    assert (second.action, second.detail) == ("role-policy:create", '{"permission": "job:get@*"}')
    assert second.previous_hash == first.hash
    assert broken(database) is None


CHANGES = {
    "the time": "UPDATE audit SET at = at + 1 WHERE number = 3",
    "the actor": "UPDATE audit SET actor = 'somebody' WHERE number = 3",
    "the action": "UPDATE audit SET action = 'principal:delete' WHERE number = 3",
    "the client": "UPDATE audit SET client_id = 'hma_x' WHERE number = 3",
    "the target": "UPDATE audit SET target = 'role:org.account.n0' WHERE number = 3",
    "the detail": "UPDATE audit SET detail = '{\"a\": 1}' WHERE number = 3",
    "the hash": "UPDATE audit SET hash = previous_hash WHERE number = 3",
    "the link": "UPDATE audit SET previous_hash = '' WHERE number = 3",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_row(database: Database, statement: str) -> None:
    fill(database)
    execute(database, statement)
    assert broken(database) == 3


@pytest.mark.parametrize(("number", "found"), [(1, 2), (3, 4)])
def test_a_removed_row(database: Database, number: int, found: int) -> None:
    fill(database)
    execute(database, f"DELETE FROM audit WHERE number = {number}")  # noqa: S608 - no input
    assert broken(database) == found


def test_a_removed_row_with_the_others_moved_up(database: Database) -> None:
    fill(database)
    execute(database, "DELETE FROM audit WHERE number = 3")
    for number in (4, 5):
        execute(database, f"UPDATE audit SET number = {number - 1} WHERE number = {number}")  # noqa: S608
    assert broken(database) == 3


@pytest.mark.parametrize("place", [0, 6, 7])
def test_a_row_put_in(database: Database, place: int) -> None:
    fill(database)
    execute(
        database,
        "INSERT INTO audit (number, at, actor, action, target, detail, previous_hash, hash) "  # noqa: S608
        f"SELECT {place}, at, actor, action, target, detail, previous_hash, hash FROM audit WHERE number = 5",
    )
    assert broken(database) == place


def test_two_rows_that_changed_places(database: Database) -> None:
    fill(database)
    for old, new in ((2, 99), (4, 2), (99, 4)):
        execute(database, f"UPDATE audit SET number = {new} WHERE number = {old}")  # noqa: S608 - no input
    assert broken(database) == 2


def test_what_was_rolled_back_leaves_no_row_and_no_gap(database: Database) -> None:
    fill(database, 2)
    with pytest.raises(refusals.Conflict), write(database) as tx:  # noqa: PT012 - the block is tested
        principals.create(tx, OTHER)
        principals.create(tx, "role:org.account.n0")
    fill_up = rows(database)
    make_role(database, name=OTHER)
    assert [row.number for row in rows(database)] == [*(row.number for row in fill_up), 3]
    assert broken(database) is None


def listed(database: Database, **asked: Any) -> list[int]:
    with database.read() as session:
        return [row.number for row in audit.list_rows(session, **{"before": None, "limit": 100, **asked})]


def test_the_newest_rows_first_a_page_at_a_time(database: Database) -> None:
    fill(database)
    assert listed(database) == [5, 4, 3, 2, 1]
    assert listed(database, limit=2) == [5, 4]
    make_role(database, name=OTHER)
    assert listed(database, limit=2, before=4) == [3, 2]
    assert listed(database, before=1) == []
    assert listed(database, before=2**63 - 1, limit=1) == [6]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"actor": ACTOR}, [3, 2, 1]),
        ({"actor": "user:ada"}, [4]),
        ({"actor": "USER:ADA"}, []),
        ({"action": "role-policy:create"}, [2]),
        ({"target": ROLE}, [4, 2, 1]),
        ({"target": ROLE, "action": "principal:create"}, [1]),
        ({"target": ROLE, "limit": 1, "before": 4}, [2]),
        ({"since": NOW + 10}, [4, 3]),
        ({"until": NOW + 10}, [2, 1]),
        ({"since": NOW + 10, "until": NOW + 20}, [3]),
        ({"since": NOW + 21}, []),
        ({"since": -(2**40), "until": 2**40}, [4, 3, 2, 1]),
    ],
)
def test_rows_that_are_looked_for(database: Database, asked: dict[str, Any], found: list[int]) -> None:
    make_role(database, "job:get@*")
    make_role(database, name=OTHER, now=NOW + 10)
    with database.write(actor="user:ada", now=NOW + 20) as tx:
        principals.delete_principal(tx, ROLE)
    assert listed(database, **asked) == found


def end_tokens(tx: Transaction) -> None:
    loaded = role_keys.load(tx.session, _first_access(tx))
    assert loaded is not None
    role_keys.end_tokens_at(tx, loaded.row.access, loaded.secrets[0].status_index)


def _first_access(tx: Transaction) -> str:
    return role_keys.list_of(tx.session, role(tx.session), after="", limit=1)[0].access


def _first_policy(tx: Transaction) -> int:
    return principals.list_policies(tx.session, ROLE, after=0, limit=1)[0].id


MANAGEMENT: dict[str, tuple[str, Callable[[Transaction], object]]] = {
    "principals.create": ("principal:create", lambda tx: principals.create(tx, OTHER)),
    "principals.delete_principal": ("principal:delete", lambda tx: principals.delete_principal(tx, ROLE)),
    "principals.add_policy": (
        "role-policy:create",
        lambda tx: principals.add_policy(tx, ROLE, Permission.parse("data:get@*")),
    ),
    "principals.delete_policy": (
        "role-policy:delete",
        lambda tx: principals.delete_policy(tx, ROLE, _first_policy(tx)),
    ),
    "role_keys.create": ("role-key:create", add_key),
    "role_keys.renew": ("role-key:renew", lambda tx: renew(tx, _first_access(tx))),
    "role_keys.delete_key": ("role-key:delete", lambda tx: delete_key(tx, _first_access(tx))),
    "role_keys.end_tokens_at": ("token:revoke", end_tokens),
    "signing_keys.add": (
        "signing-key:create",
        lambda tx: signing_keys.add(tx, SigningKey.generate("ES256"), KEK, signs_from=NOW),
    ),
}


@pytest.mark.parametrize(("action", "work"), MANAGEMENT.values(), ids=MANAGEMENT.keys())
def test_whatever_manages_writes_one_row_and_tells_all_processes(
    database: Database, action: str, work: Callable[[Transaction], object]
) -> None:
    make_role(database, "job:get@*")
    with write(database) as tx:
        secret = add_key(tx).secret
    before, told = len(rows(database)), count(database, "change")
    with database.write(actor="user:ada", now=NOW + 1) as tx:
        work(tx)
    made = rows(database)[before:]
    assert [(row.action, row.actor, row.at) for row in made] == [(action, "user:ada", NOW + 1)]
    assert secret not in made[0].detail
    assert count(database, "change") > told or action == "principal:create", "nobody knows a new name yet"
    assert broken(database) is None
    with pytest.raises(ZeroDivisionError), write(database) as tx:  # noqa: PT012 - the block is what is tested
        tx.audit("x", "y")
        raise ZeroDivisionError
    assert len(rows(database)) == before + 1


def test_the_rows_of_a_deletion_name_what_went(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx).access
    (index,) = indices(database, access)
    with write(database) as tx:
        role_keys.end_tokens_at(tx, access, index)
        principals.delete_principal(tx, ROLE)
    revoke, delete = rows(database)[-2:]
    assert revoke.detail == f'{{"access": "{access}", "index": {index}}}'
    assert delete.detail == f'{{"made": [], "role_keys": ["{access}"]}}'
