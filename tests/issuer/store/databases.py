"""Databases for tests, of both kinds: whatever holds on one must hold on the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Connection, event, text
from sqlmodel import Session, SQLModel

from issuer.store import principals, role_keys, schema, signing_keys, status_indices
from issuer.store.database import Database, Transaction
from issuer.store.secrets import HashKeyInForce
from issuer.store.tables import Principal, StatusListVersion
from keys import KeyEncryptionKey, RoleKey
from tests.postgresql import PostgresServer
from verifier import Scope

NOW = 1_800_000_000
ACTOR = "hmk_ActorActorActor0"
ROLE = "role:org.account.ci"
KEK = KeyEncryptionKey.parse("A" * 43)
HASH_KEY = HashKeyInForce(1, b"h" * 32)
_PATIENCE = 10.0

BOTH = ["sqlite", "postgresql"]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hourmark.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """With the schema, an unsigned status list and a hash key. Every borrowed connection must come back."""
    if request.param == "sqlite":
        path = tmp_path / "hourmark.db"
        path.write_bytes(_upgraded_sqlite())
        opened = Database(f"sqlite:///{path}")
        # As on the tests' PostgreSQL: no waiting for a disk that need not keep anything.
        event.listen(opened.engine, "connect", lambda new, _: new.execute("PRAGMA synchronous=OFF"))
    else:
        opened = Database(_upgraded_postgresql(request.getfixturevalue("postgres_server")))
    empty(opened)
    yield opened
    assert checked_out(opened) == 0, "a connection was not returned"
    opened.close()


@cache
def _upgraded_sqlite() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        with closing(Database(f"sqlite:///{path}")) as opened:
            schema.upgrade(opened)
        return path.read_bytes()


@cache
def _upgraded_postgresql(server: PostgresServer) -> str:
    """One for all tests, one after the other: making a database is slow."""
    url = server.create_database()
    with closing(Database(url)) as opened:
        schema.upgrade(opened)
    return url


def fill(database: Database) -> None:
    """What `hourmarkd init` makes, without a user and a signing key."""
    with write(database) as tx:
        tx.session.add(
            StatusListVersion(
                id=status_indices.LIST_ID, version=1, signed_version=0, document="", signed_at=0
            )
        )
        signing_keys.add_hash_key(tx, HASH_KEY.key, KEK)


def empty(database: Database) -> None:
    """As new, while the schema and the counters of ids stay."""
    with write(database) as tx:
        for table in reversed(SQLModel.metadata.sorted_tables):
            tx.session.execute(table.delete())
    fill(database)


class SlowToLock(Database):
    """PostgreSQL only: its transactions have begun, and their turn does not come before `may_lock`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.began, self.may_lock = threading.Event(), threading.Event()

    def lock(self, connection: Connection) -> None:
        _run(connection, "SELECT count(*), pg_current_xact_id() FROM change")
        self.began.set()
        assert self.may_lock.wait(_PATIENCE)
        super().lock(connection)


def write(database: Database, now: int = NOW) -> AbstractContextManager[Transaction]:
    return database.write(actor=ACTOR, now=now)


def make_role(database: Database, *permissions: str, name: str = ROLE, now: int = NOW) -> None:
    with write(database, now) as tx:
        principals.create(tx, name)
        for permission in Scope.parse(" ".join(permissions)).permissions:
            principals.add_policy(tx, name, permission)


def add_key(
    tx: Transaction, *, principal: str = ROLE, expires_at: int | None = None, scope: str | None = None
) -> RoleKey:
    """A new role key in the clear, kept for the principal."""
    presented = RoleKey.generate()
    role_keys.create(
        tx,
        principals.get(tx.session, principal),
        presented,
        HASH_KEY,
        name="a key",
        scope=None if scope is None else Scope.parse(scope),
        expires_at=expires_at,
    )
    return presented


def renew(tx: Transaction, access: str, *, grace: int = 0, principal: str = ROLE) -> RoleKey:
    """The new secret, in the clear."""
    presented = RoleKey.generate(access)
    role_keys.renew(tx, principals.get(tx.session, principal), presented, HASH_KEY, grace=grace)
    return presented


def delete_key(tx: Transaction, access: str, principal: str = ROLE) -> list[str]:
    return role_keys.delete_key(tx, principals.get(tx.session, principal), access)


def role(session: Session, name: str = ROLE) -> Principal:
    return principals.get(session, name)


def indices(database: Database, access: str) -> list[int]:
    """Those of the role key's secrets, oldest secret first."""
    with database.read() as session:
        loaded = role_keys.load(session, access)
        assert loaded is not None
        return [secret.status_index for secret in loaded.secrets]


def revoked(database: Database) -> set[int]:
    with database.read() as session:
        return set(status_indices.set_indices(session))


def version(database: Database) -> int:
    with database.read() as session:
        return status_indices.current_version(session).version


def count(database: Database, table: str) -> int:
    with database.read() as session:
        return int(session.connection().execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())  # noqa: S608 - no input


def execute(database: Database, statement: str) -> None:
    """Raw SQL, behind the store's back."""
    with database.engine.connect() as connection:
        _run(connection, statement)
        connection.commit()


def checked_out(database: Database) -> int:
    return int(database.engine.pool.checkedout())  # type: ignore[attr-defined]


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
