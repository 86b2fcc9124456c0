from __future__ import annotations

import psycopg
import pytest

from tests.postgresql import PostgresServer


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def answer(connection: psycopg.Connection[tuple[object, ...]], query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_a_created_database_is_empty_and_in_utc(postgres_server: PostgresServer) -> None:
    with connect(postgres_server.create_database()) as connection:
        assert answer(connection, "SELECT version()").startswith("PostgreSQL")
        assert answer(connection, "SHOW timezone") == "UTC"
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert answer(connection, tables) == "0"


def test_each_database_is_another(postgres_server: PostgresServer) -> None:
    first, second = postgres_server.create_database(), postgres_server.create_database()
    assert first != second
    with connect(first) as connection:
        connection.execute("CREATE TABLE only_here (number integer)")
    with connect(second) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM only_here")


def test_an_outage_breaks_connections_and_keeps_data(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        postgres_server.stop()
        try:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
            with pytest.raises(psycopg.OperationalError):
                connect(url)
        finally:
            postgres_server.start()
    with connect(url) as connection:
        assert answer(connection, "SELECT number FROM kept") == "7"
