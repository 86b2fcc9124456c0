"""The schema's migrations, run by Alembic from inside the package.

Alembic is imported only when there is something to migrate: a running issuer asks no more than which version
a database has, and would carry it in memory for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from issuer.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The newest migration's revision, which its file's name begins with."""


def upgrade(database: Database) -> None:
    """Brings the database to this version's schema, from empty or any earlier one. One at a time."""
    from alembic import command

    with database.engine.connect().execution_options(hourmark_write=True) as connection:
        # One transaction for all of them: SQLite would commit after each, and let another upgrade in between.
        connection.begin()
        database.lock(connection)
        command.upgrade(_config(connection), "head")
        connection.commit()


def state(database: Database) -> str:
    """`empty`, `current`, or `outdated`."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return "empty"
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is None:
        return "empty"
    return "current" if found == HEAD else "outdated"


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
