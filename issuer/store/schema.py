"""The schema's migrations, run by Alembic from inside the package."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from issuer.store.database import Database


def upgrade(database: Database) -> None:
    """Brings the database to this version's schema, from empty or any earlier one. One at a time."""
    with database.engine.connect().execution_options(hourmark_write=True) as connection:
        database.lock(connection)
        command.upgrade(_config(connection), "head")
        connection.commit()


def state(database: Database) -> str:
    """`empty`, `current`, or `outdated`."""
    with database.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        return "empty"
    return "current" if found == ScriptDirectory.from_config(_config(None)).get_current_head() else "outdated"


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
