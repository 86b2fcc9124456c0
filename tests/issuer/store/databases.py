"""Databases for tests, of both kinds: whatever holds on one must hold on the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlmodel import Session

from issuer.store import principals, role_keys, schema, signing_keys, status_indices
from issuer.store.database import Database, Transaction
from issuer.store.role_keys import HashKeyInForce
from issuer.store.tables import Principal, StatusListVersion
from keys import KeyEncryptionKey, RoleKey
from tests.postgresql import PostgresServer
from verifier import Scope

NOW = 1_800_000_000
ACTOR = "hmk_ActorActorActor0"
ROLE = "role:org.account.ci"
KEK = KeyEncryptionKey.parse("A" * 43)
HASH_KEY = HashKeyInForce(1, b"h" * 32)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hourmark.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with the schema, an unsigned status list and a hash key. Whoever borrows a connection returns it."""
    opened = Database(database_url)
    prepare(opened)
    yield opened
    assert checked_out(opened) == 0, "a connection was not returned"
    opened.close()


def prepare(database: Database) -> None:
    schema.upgrade(database)
    with write(database) as tx:
        tx.session.add(
            StatusListVersion(
                id=status_indices.LIST_ID, version=1, signed_version=0, document="", signed_at=0
            )
        )
        signing_keys.add_hash_key(tx, HASH_KEY.key, KEK)


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
