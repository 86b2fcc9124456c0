from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlmodel import SQLModel

from issuer.store import schema
from issuer.store.database import Database
from tests.issuer.store.databases import ROLE, count, execute, make_role


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        yield database


def test_from_empty_to_head_gives_what_the_models_say(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(
            MigrationContext.configure(connection, opts=options), SQLModel.metadata
        )
        assert differences == []


def test_ids_are_never_used_again_by_the_schema_itself(empty: Database) -> None:
    """What `compare_metadata` does not see: SQLite would give a deleted last row's id to the next one."""
    schema.upgrade(empty)
    if empty.is_sqlite:
        with empty.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
            )
            assert {name for (name,) in rows} == {"policy", "secret", "user_grant", "visit"}


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_the_states_of_a_schema(empty: Database) -> None:
    assert schema.state(empty) == "empty"
    schema.upgrade(empty)
    assert schema.state(empty) == "current"
    execute(empty, "UPDATE alembic_version SET version_num = '0000'")
    assert schema.state(empty) == "outdated"


def test_asking_for_the_state_changes_nothing(empty: Database) -> None:
    schema.state(empty)
    assert inspect(empty.engine).get_table_names() == []


def test_an_upgrade_again_changes_nothing(database: Database) -> None:
    make_role(database, "job:*@*", name=ROLE)
    schema.upgrade(database)
    assert (count(database, "principal"), count(database, "policy")) == (1, 1)


# Processes, since Alembic keeps its context in module variables; forked after the imports, to begin together.
UPGRADE_IN_FOUR_PROCESSES = """
import os, sys
from issuer.store import schema
from issuer.store.database import Database
children = []
while len(children) < 4:
    children.append(os.fork())
    if children[-1] == 0:
        schema.upgrade(Database(sys.argv[1]))
        os._exit(0)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def test_many_upgrade_at_once(empty: Database) -> None:
    """Replicas of a service start together, each with an upgrade of the database that they share."""
    assert schema.state(empty) == "empty"
    url = empty.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE_IN_FOUR_PROCESSES, url], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert schema.state(empty) == "current"
