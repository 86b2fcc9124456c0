"""How a process hears of changes, by the database that it has."""

from __future__ import annotations

from issuer.store.changes import ChangeFeed
from issuer.store.database import Database
from issuer.store.sqlite_changes import SqliteFeed


def open_feed(database: Database) -> ChangeFeed:
    if database.is_sqlite:
        return SqliteFeed(database)
    # The driver costs as much to load as the rest of the store: whoever has SQLite does without.
    from issuer.store.postgresql_changes import PostgresqlFeed

    return PostgresqlFeed(database)
