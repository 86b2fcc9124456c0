"""A set-up link is good once, for a while, and alone."""

from __future__ import annotations

import pytest

from issuer.store import invitations, principals, users
from issuer.store.database import Database
from tests.issuer.store import databases
from tests.issuer.store.databases import NOW, count, write
from verifier import Permission

database = databases.database
LINK, OTHER = b"link", b"other"


@pytest.fixture
def ada(database: Database) -> str:
    with database.write(actor="hourmarkd init", now=NOW) as tx:
        user = users.create(tx, "ada")
        invitations.create(tx, user.principal, LINK, expires_at=NOW + 10)
    return "ada"


def whose(database: Database, link: bytes, now: int) -> str | None:
    with database.read() as session:
        user = invitations.find(session, link, now)
        return None if user is None else user.name


def test_it_is_good_until_it_expires(database: Database, ada: str) -> None:
    assert [whose(database, LINK, NOW + seconds) for seconds in (0, 9, 10)] == [ada, ada, None]
    assert whose(database, OTHER, NOW) is None


def test_it_leads_to_no_more_than_its_maker_has(database: Database) -> None:
    with write(database) as tx:
        for name in ("ada", "maker"):
            users.create(tx, name)
        principals.add_policy(tx, "user:maker", Permission.parse("data:*@*"))
        principals.add_policy(tx, "user:ada", Permission.parse("data:get@*"))
    with database.write(actor="user:maker", now=NOW) as tx:
        invitations.create(tx, users.get(tx.session, "ada").principal, LINK, expires_at=NOW + 10)
    assert whose(database, LINK, NOW) == "ada"
    with write(database) as tx:
        principals.add_policy(tx, "user:ada", Permission.parse("job:get@*"))
    assert whose(database, LINK, NOW) is None
    with write(database) as tx:
        principals.add_policy(tx, "user:maker", Permission.parse("*"))
    assert whose(database, LINK, NOW) == "ada"
    with write(database) as tx:
        users.delete_user(tx, users.get(tx.session, "maker"))
    assert whose(database, LINK, NOW) is None


@pytest.mark.usefixtures("ada")
def test_it_is_used_up_once(database: Database) -> None:
    used = []
    for _ in range(2):
        with write(database) as tx:
            user = invitations.use_up(tx, LINK)
            used.append(None if user is None else user.name)
    assert used == ["ada", None]


@pytest.mark.usefixtures("ada")
def test_the_next_one_ends_it(database: Database) -> None:
    with database.write(actor="hourmarkd init", now=NOW) as tx:
        invitations.create(tx, users.get(tx.session, "ada").principal, OTHER, expires_at=NOW + 10)
    assert (whose(database, LINK, NOW), whose(database, OTHER, NOW)) == (None, "ada")


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("how", [users.disable, users.delete_user])
def test_it_is_nobodys_when_its_user_is_not_there(database: Database, how: object) -> None:
    assert callable(how)
    with write(database) as tx:
        how(tx, users.get(tx.session, "ada"))
    assert whose(database, LINK, NOW) is None


@pytest.mark.usefixtures("ada")
def test_it_is_forgotten_when_it_has_expired(database: Database) -> None:
    for seconds, left in ((9, 1), (10, 0)):
        with database.read() as session:
            assert invitations.has_expired(session, NOW + seconds) is (left == 0)
        with write(database, NOW + seconds) as tx:
            invitations.forget_expired(tx)
        assert count(database, "invitation") == left
