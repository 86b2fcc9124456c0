"""A password that was proved counts for as long as it is the user's."""

from __future__ import annotations

from issuer.store import passwords, users
from issuer.store.database import Database
from tests.issuer.store import databases
from tests.issuer.store.databases import write

database = databases.database


def test_a_password_that_was_changed_meanwhile_is_not_the_users(database: Database) -> None:
    with write(database) as tx:
        passwords.set_hash(tx, users.create(tx, "ada"), "hash of the old one")
    with database.read() as session:
        known = passwords.find(session, "ada")
    assert known is not None
    with write(database) as tx:
        assert passwords.is_still(tx, known)
        passwords.set_hash(tx, users.get(tx.session, "ada"), "hash of a new one")
        assert not passwords.is_still(tx, known)
