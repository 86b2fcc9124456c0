"""The database is locked, full, gone or cut off: nothing is half-made, and no restart is needed."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from issuer.store import database as database_module
from issuer.store import principals, schema
from issuer.store.database import Database, StoreUnavailable
from issuer.store.postgresql_changes import PostgresqlFeed
from issuer.store.sqlite_changes import SqliteFeed
from tests.issuer.store.databases import ROLE, add_key, checked_out, count, execute, make_role, role, write
from tests.postgresql import PostgresServer
from tests.postgresql_proxy import PostgresProxy
from verifier.permission import EVERYTHING

TABLES = ("principal", "policy", "role_key", "secret", "status_index", "change", "audit")
OTHER = "role:org.account.other"


def rows(database: Database) -> list[int]:
    return [count(database, table) for table in TABLES]


@contextmanager
def another(database: Database) -> Iterator[Database]:
    with closing(Database(database.url.render_as_string(hide_password=False))) as other:
        yield other


def test_another_writer_that_takes_too_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.2)
    with another(database) as impatient:
        with write(database) as tx:
            principals.create(tx, ROLE)
            began = time.monotonic()
            with pytest.raises(StoreUnavailable, match="does not answer"):
                make_role(impatient, name=OTHER)
            assert 0.1 < time.monotonic() - began < 3
            assert count(impatient, "principal") == 0, "reading goes on"
        make_role(impatient, name=OTHER)
        assert count(impatient, "principal") == 2


def test_another_writer_that_takes_a_while(database: Database) -> None:
    started = threading.Event()

    def hold() -> None:
        with write(database) as tx:
            principals.create(tx, ROLE)
            started.set()
            time.sleep(0.2)

    holder = threading.Thread(target=hold)
    holder.start()
    started.wait()
    make_role(database, name=OTHER)
    holder.join()
    assert count(database, "principal") == 2


def test_a_full_disk(database: Database) -> None:
    make_role(database, "job:*@*")
    before = rows(database)
    with another(database) as full:
        with no_space(full):
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    add_keys(full)
                assert rows(full) == before, "reading goes on, and nothing is half-made"
        add_keys(full)
    assert count(database, "role_key") == 100


def add_keys(database: Database) -> None:
    with write(database) as tx:
        for _ in range(100):
            add_key(tx)


@contextmanager
def no_space(database: Database) -> Iterator[None]:
    """SQLite may grow by a page; PostgreSQL says what it says when a write finds no space."""
    if database.is_sqlite:
        with database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        with each_connection(database, f"max_page_count={pages + 1}"):
            yield
    else:
        raising = (
            "IF (SELECT count(*) FROM role_key) > 20 THEN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END IF"
        )
        body = f"LANGUAGE plpgsql AS $$ BEGIN {raising}; RETURN NULL; END $$"
        execute(database, f"CREATE FUNCTION full_disk() RETURNS trigger {body}")
        execute(database, "CREATE TRIGGER full_disk AFTER INSERT ON role_key EXECUTE FUNCTION full_disk()")
        yield
        execute(database, "DROP FUNCTION full_disk() CASCADE")


@contextmanager
def each_connection(database: Database, pragma: str) -> Iterator[None]:
    """Connections with this setting of SQLite; afterwards none of them is left."""

    def set_it(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    database.engine.dispose()
    event.listen(database.engine, "connect", set_it)
    yield
    event.remove(database.engine, "connect", set_it)
    database.engine.dispose()


def test_a_server_that_takes_no_writes(database: Database) -> None:
    """After a fail-over the old address may lead to a standby."""
    make_role(database)
    before = rows(database)
    with read_only(database):
        with pytest.raises(StoreUnavailable):
            make_role(database, name=OTHER)
        with database.read() as session:
            assert role(session).name == ROLE
    assert rows(database) == before
    make_role(database, name=OTHER)


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    if database.is_sqlite:
        with each_connection(database, "query_only=on"):
            yield
    else:
        alter = f"ALTER DATABASE {database.url.database}"
        execute(database, f"{alter} SET default_transaction_read_only = on")
        database.engine.dispose()
        try:
            yield
        finally:
            execute(database, f"SET TRANSACTION READ WRITE; {alter} RESET default_transaction_read_only")
            database.engine.dispose()


ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
GONE = "gone or was replaced: restart when it is back"


async def refuses_everything(database: Database, feed: SqliteFeed) -> None:
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=GONE):
            make_role(database, name=OTHER)
        with pytest.raises(StoreUnavailable, match=GONE):
            count(database, "principal")
        with pytest.raises(StoreUnavailable, match=GONE):
            await feed.read(0)


@ONLY_SQLITE
@pytest.mark.anyio
@pytest.mark.parametrize("connected", [True, False])
async def test_a_file_that_is_moved_away_and_back(database: Database, connected: bool) -> None:
    """Open connections would write to it wherever it is, and nobody would ever find that again."""
    make_role(database)
    path, before = file_of(database), rows(database)
    feed = SqliteFeed(database)
    if not connected:
        database.engine.dispose()
    path.rename(path.with_name("elsewhere"))
    await refuses_everything(database, feed)
    assert not path.exists(), "nor does a new connection make an empty file"
    path.with_name("elsewhere").rename(path)
    assert rows(database) == before
    make_role(database, name=OTHER)
    assert len(await feed.read(0)) == count(database, "change")
    await feed.close()


@ONLY_SQLITE
@pytest.mark.anyio
@pytest.mark.parametrize("content", ["", "a copy"])
async def test_a_file_that_is_replaced_by_another(database: Database, content: str) -> None:
    make_role(database)
    path = file_of(database)
    feed = SqliteFeed(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    replacement = path.with_name("replacement")
    replacement.write_bytes(path.read_bytes() if content else b"")
    kept = replacement.read_bytes()
    replacement.rename(path)
    await refuses_everything(database, feed)
    with pytest.raises(StoreUnavailable, match=GONE):
        SqliteFeed(database)
    assert path.read_bytes() == kept
    await feed.close()


@ONLY_SQLITE
def test_a_file_that_goes_during_a_transaction(database: Database) -> None:
    path, before = file_of(database), rows(database)
    with pytest.raises(StoreUnavailable, match=GONE), write(database) as tx:  # noqa: PT012 - the block is what is tested
        principals.create(tx, ROLE)
        path.rename(path.with_name("elsewhere"))
    path.with_name("elsewhere").rename(path)
    assert rows(database) == before


@ONLY_SQLITE
def test_a_file_that_is_replaced_between_the_look_and_the_connection(database: Database) -> None:
    path = file_of(database)
    database.engine.dispose()
    path.rename(path.with_name("elsewhere"))
    path.touch()
    with pytest.raises(StoreUnavailable, match=GONE), database.engine.connect():
        pass
    assert path.read_bytes() == b""


def file_of(database: Database) -> Path:
    return Path(database.url.database or "")


def test_more_threads_than_connections(database: Database) -> None:
    database.engine.pool._timeout = 0.1  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        _borrow(database, 30)
    assert checked_out(database) == 0
    make_role(database)


def _borrow(database: Database, number: int) -> None:
    if number:
        with database.read() as session:
            session.connection()
            _borrow(database, number - 1)


@pytest.fixture
def remote(postgres_server: PostgresServer) -> Iterator[Database]:
    with closing(Database(postgres_server.create_database())) as database:
        schema.upgrade(database)
        yield database


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_a_server_that_is_gone_and_comes_back(postgres_server: PostgresServer, remote: Database) -> None:
    make_role(remote)
    before = rows(remote)
    with stopped(postgres_server):
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(StoreUnavailable):
                make_role(remote, name=OTHER)
            with pytest.raises(StoreUnavailable):
                count(remote, "principal")
            assert time.monotonic() - began < 4
    assert rows(remote) == before
    make_role(remote, name=OTHER)
    assert checked_out(remote) == 0


def test_a_server_that_goes_during_a_transaction(postgres_server: PostgresServer, remote: Database) -> None:
    with pytest.raises(StoreUnavailable), write(remote) as tx:  # noqa: PT012 - the block is what is tested
        principals.create(tx, ROLE)
        with stopped(postgres_server):
            principals.create(tx, OTHER)
    with pytest.raises(StoreUnavailable), remote.read() as session:  # noqa: PT012 - the same
        principals.list_roles(session, within=[EVERYTHING], after="", limit=1)
        with stopped(postgres_server):
            principals.list_roles(session, within=[EVERYTHING], after="x", limit=1)
    assert rows(remote) == [0] * len(TABLES)
    make_role(remote)
    assert checked_out(remote) == 0


def test_a_connection_that_is_cut_before_the_commit(remote: Database) -> None:
    with pytest.raises(StoreUnavailable), write(remote) as tx:  # noqa: PT012 - the block is what is tested
        principals.create(tx, ROLE)
        (pid,) = tx.session.connection().exec_driver_sql("SELECT pg_backend_pid()").one()
        with psycopg.connect(_conninfo(remote), autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", (pid,))
    assert rows(remote) == [0] * len(TABLES)
    make_role(remote)


def test_a_server_whose_machine_vanishes_is_given_up_soon(remote: Database) -> None:
    """No loopback address vanishes, so what the system was told about these connections has to do."""
    with PostgresProxy(remote.url.render_as_string()) as proxy, closing(Database(proxy.url)) as through:
        pooled = through.engine.connect()
        feed = PostgresqlFeed(through)
        listening = psycopg.connect(feed._conninfo)
        with closing(pooled), closing(listening):
            for connection in (pooled.connection.driver_connection, listening):
                assert isinstance(connection, psycopg.Connection)
                with socket.socket(fileno=os.dup(connection.fileno())) as told:
                    assert told.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5000
                    assert told.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                    assert told.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5


def _conninfo(database: Database) -> str:
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)
