"""A database of an earlier version goes on after the upgrade, with everything that was in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from alembic import command, op
from sqlmodel import select

from issuer.store import audit, principals, refusals, rights, role_keys, schema
from issuer.store.database import Database
from issuer.store.tables import Principal
from tests.issuer.store.databases import ROLE, add_key, count, execute, fill, make_role, role, write
from verifier import Permission

FIRST = "0001"
# As the first version wrote them: a role with a policy, and one that was deleted.
ROLES = """
INSERT INTO principal (id, name, created_at, created_by, deleted_at) VALUES
(1, 'role:org.account.ci', 1800000000, 'hmk_first', NULL),
(2, 'role:org.account.gone', 1800000000, 'hmk_first', 1800000000)
"""
POLICY = """
INSERT INTO policy (id, principal_id, permission, created_at, created_by) VALUES
(7, 1, 'job:get@*', 1800000000, 'hmk_first')
"""
LATE_ROLE = """
INSERT INTO principal (id, name, created_at, created_by) VALUES
(3, 'role:org.account.late', 1800000000, 'hmk_first')
"""


@pytest.fixture
def first(database_url: str) -> Iterator[Database]:
    """With the schema of the first version, and some rows."""
    with closing(Database(database_url)) as database:
        with database.engine.connect().execution_options(hourmark_write=True) as connection:
            command.upgrade(schema._config(connection), FIRST)
            connection.commit()
        execute(database, ROLES)
        execute(database, POLICY)
        yield database


def test_what_was_there_is_there(first: Database) -> None:
    assert schema.state(first) == "outdated"
    schema.upgrade(first)
    assert schema.state(first) == "current"
    fill(first)
    with first.read() as session:
        assert {row.name: row.version for row in session.exec(select(Principal))} == {
            ROLE: 1,
            "role:org.account.gone": 1,
        }
        assert str(rights.held(session, role(session))) == "job:get@*"
    with write(first) as tx:
        if not first.is_sqlite:
            execute(first, "SELECT setval('principal_id_seq', 2), setval('policy_id_seq', 7)")
        principals.add_policy(tx, ROLE, Permission.parse("job:end@*"))
        assert role(tx.session).version == 2
        key = add_key(tx)
    with first.read() as session:
        assert role_keys.load(session, key.access) is not None
        assert audit.check_chain(session).first_broken is None
    with pytest.raises(refusals.Conflict, match="never used again"):
        make_role(first, name="role:org.account.gone")


def test_a_process_of_the_version_before_goes_on(first: Database) -> None:
    """Hosts are restarted one after the other; what they insert meanwhile has no version."""
    schema.upgrade(first)
    execute(first, LATE_ROLE)
    with first.read() as session:
        assert role(session, "role:org.account.late").version == 1


def test_an_upgrade_that_fails_leaves_the_schema_as_it_was(
    first: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(op, "create_index", broken)
    with pytest.raises(ZeroDivisionError):
        schema.upgrade(first)
    assert schema.state(first) == "outdated"
    monkeypatch.undo()
    schema.upgrade(first)
    assert (schema.state(first), count(first, "principal")) == ("current", 2)
