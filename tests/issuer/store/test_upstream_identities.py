"""Who somebody is elsewhere, and the roles that follow from groups there."""

from __future__ import annotations

import pytest

from issuer.store import upstream_identities, users
from issuer.store.database import Database
from issuer.store.refusals import Conflict
from keys import RoleKey
from tests.issuer.store import databases
from tests.issuer.store.databases import add_key, indices, make_role, revoked, role, write

database = databases.database
ML, OPS, OWN = "org.tests.ml", "org.tests.ops", "org.tests.own"
ISSUER = "https://idp.example"


@pytest.fixture
def key(database: Database) -> RoleKey:
    """A role key of a user whom an administrator gave a role."""
    for name in (ML, OPS, OWN):
        make_role(database, "data:get@*", name=f"role:{name}")
    with write(database) as tx:
        ada = users.create(tx, "ada")
        users.create(tx, "bob")
        users.give_role(tx, ada, role(tx.session, f"role:{OWN}"))
        return add_key(tx, principal="user:ada")


def follow(database: Database, *roles: str, provider: str = "corp") -> set[str]:
    """The roles that the user holds after signing in with these."""
    with write(database) as tx:
        ada = users.get(tx.session, "ada")
        upstream_identities.follow_groups(tx, ada, provider, roles)
        return {held.name.removeprefix("role:") for held, _ in users.memberships(tx.session, ada)}


@pytest.mark.usefixtures("key")
def test_roles_come_and_go_with_the_groups(database: Database) -> None:
    assert follow(database) == {OWN}
    assert follow(database, ML, OPS) == {OWN, ML, OPS}
    assert follow(database, OPS) == {OWN, OPS}
    assert follow(database) == {OWN}


@pytest.mark.usefixtures("key")
def test_what_somebody_else_gave_stays(database: Database) -> None:
    assert follow(database, OWN) == {OWN}
    assert follow(database) == {OWN}
    assert follow(database, ML) == {OWN, ML}
    assert follow(database, provider="lab") == {OWN, ML}
    assert follow(database, ML, OPS, provider="lab") == {OWN, ML, OPS}
    assert follow(database) == {OWN, OPS}


@pytest.mark.usefixtures("key")
def test_a_role_that_is_not_there_is_left_out(database: Database) -> None:
    assert follow(database, ML, "org.tests.missing", "nonsense") == {OWN, ML}


def test_tokens_end_when_a_role_goes_and_only_then(database: Database, key: RoleKey) -> None:
    follow(database, ML, OPS)
    (index,) = indices(database, key.access)
    follow(database, OPS, ML)
    assert index not in revoked(database)
    follow(database, ML)
    assert index in revoked(database)


@pytest.mark.usefixtures("key")
def test_an_account_there_is_one_user_here(database: Database) -> None:
    with write(database) as tx:
        ada, bob = users.get(tx.session, "ada"), users.get(tx.session, "bob")
        for _ in range(2):
            upstream_identities.link(tx, ada.principal, ISSUER, "1")
        upstream_identities.link(tx, bob.principal, "https://other.example", "1")
        with pytest.raises(Conflict):
            upstream_identities.link(tx, bob.principal, ISSUER, "1")
    with database.read() as session:
        for issuer, subject, name in (
            (ISSUER, "1", "ada"),
            ("https://other.example", "1", "bob"),
            (ISSUER, "2", None),
            (f"{ISSUER}/", "1", None),
        ):
            found = upstream_identities.find_user(session, issuer, subject)
            assert (None if found is None else found.name) == name


@pytest.mark.usefixtures("key")
def test_only_its_user_unlinks_it(database: Database) -> None:
    with write(database) as tx:
        ada, bob = users.get(tx.session, "ada"), users.get(tx.session, "bob")
        upstream_identities.link(tx, ada.principal, ISSUER, "1")
        upstream_identities.unlink(tx, bob.principal, ISSUER, "1")
        assert upstream_identities.find_user(tx.session, ISSUER, "1") is not None
        upstream_identities.unlink(tx, ada.principal, ISSUER, "1")
        assert upstream_identities.find_user(tx.session, ISSUER, "1") is None
