from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from traceback import format_exception

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from issuer.store import changes, principals
from issuer.store.database import Database, StoreUnavailable
from issuer.store.tables import Change
from tests.issuer.store.databases import ACTOR, NOW, ROLE, checked_out, count, execute, make_role, write

WRITERS, TRANSACTIONS = 8, 25


def numbers(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.exec(select(Change.number).order_by(Change.number)))  # type: ignore[arg-type]


def test_a_block_that_ends_is_committed(database: Database) -> None:
    with write(database) as tx:
        principals.create(tx, ROLE)
    assert (count(database, "principal"), count(database, "audit")) == (1, 1)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_nothing(database: Database, error: type[BaseException]) -> None:
    with pytest.raises(error), write(database) as tx:  # noqa: PT012 - the block is what is tested
        principals.create(tx, ROLE)
        tx.changed("principal", ROLE)
        raise error
    assert [count(database, table) for table in ("principal", "audit", "change")] == [0, 0, 0]
    make_role(database)


def test_a_reader_sees_one_snapshot(database: Database) -> None:
    with database.read() as session:
        before = session.exec(select(Change.number)).all()
        with write(database) as tx:
            tx.changed("principal", ROLE)
        assert session.exec(select(Change.number)).all() == before
    assert len(numbers(database)) == len(before) + 1


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with write(database) as tx:
        tx.changed("principal", ROLE)
        assert numbers(database) == []


def test_a_committed_sqlite_transaction_is_on_disk(database_url: str) -> None:
    """What was acknowledged survives a loss of power; readers and a writer do not wait for each other."""
    with closing(Database(database_url)) as database:
        if database.is_sqlite:
            with database.engine.connect() as connection:
                pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
                found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas]
            assert found == ["wal", 2, 1, 5000]


def test_no_statement_of_an_error_quotes_its_parameters(database: Database) -> None:
    secret = "s3cret-parameter"
    with pytest.raises((DBAPIError, StoreUnavailable)) as failed, database.read() as session:
        session.execute(text("SELECT * FROM missing WHERE x = :x"), {"x": secret})
    assert secret not in "".join(format_exception(failed.value))


def write_much(database: Database, seed: int) -> list[tuple[int, str]]:
    """What each transaction numbered its own change."""
    random, made = Random(seed), []
    for turn in range(TRANSACTIONS):
        ref = f"role:org.account.w{seed}-{turn}"
        with database.write(actor=ACTOR, now=NOW) as tx:
            principals.create(tx, ref)
            tx.changed("principal", ref)
            made.append((changes.last_number(tx.session), ref))
            if random.random() < 0.2:
                tx.changed("principal", ref)
    return made


@pytest.mark.parametrize("isolation", ["the default", "another default"])
def test_numbers_follow_the_order_of_commits(database: Database, isolation: str) -> None:
    """Whoever reads up to a number has missed nothing below it: no gap closes later."""
    name = database.url.database
    if isolation == "another default" and not database.is_sqlite:
        # An administrator may choose so; then a snapshot would be taken before the lock is held.
        execute(database, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        database.engine.dispose()
    with ThreadPoolExecutor(WRITERS) as threads:
        writers = [threads.submit(write_much, database, seed) for seed in range(WRITERS)]
        seen = []
        while not all(writer.done() for writer in writers):
            seen.append(numbers(database))
        made = [row for writer in writers for row in writer.result()]
    if not database.is_sqlite:
        execute(database, f"ALTER DATABASE {name} RESET default_transaction_isolation")
    seen.append(numbers(database))
    for found in seen:
        assert found == list(range(1, len(found) + 1))
    with database.read() as session:
        refs = dict(session.exec(select(Change.number, Change.ref)).all())
    assert len(made) == WRITERS * TRANSACTIONS
    assert all(refs[number] == ref for number, ref in made)
    assert checked_out(database) == 0
