"""Where a user is signed in: what is listed, page by page, and whose it is that ends."""

from __future__ import annotations

import pytest

from issuer.store import refusals, sign_ins, users
from issuer.store.database import Database
from issuer.store.user_grants import CONSENT, SESSION, SIGN_IN, Authentication, Place, create
from tests.issuer.store import databases
from tests.issuer.store.databases import NOW, revoked, write

database = databases.database


@pytest.fixture(autouse=True)
def _people(database: Database) -> None:
    with write(database) as tx:
        for name in ("ada", "grace"):
            users.create(tx, name)


def make(database: Database, kind: str, *, user: str = "ada", ends_in: int | None = 1000) -> tuple[int, int]:
    """Returns its id, and its status index."""
    with write(database) as tx:
        row = create(
            tx,
            kind,
            users.get(tx.session, user).principal,
            "hma_app",
            scope=None,
            authentication=Authentication(NOW, ("pwd",)),
            place=Place("127.0.0.1", "tests"),
            expires_at=None if ends_in is None else NOW + ends_in,
        )
        return row.id, row.status_index


def listed(database: Database, *, now: int = NOW, before: int | None = None, limit: int = 10) -> list[int]:
    with database.read() as session:
        ada = users.get(session, "ada").principal
        rows = sign_ins.page_of_user(session, ada, before=before, limit=limit, now=now)
        return [row.id for row in rows]


def end(database: Database, user: str, number: int) -> None:
    with write(database) as tx:
        sign_ins.end(tx, users.get(tx.session, user).principal, number)


def test_those_that_have_expired_are_over_before_they_are_swept_away(database: Database) -> None:
    session, _ = make(database, SESSION, ends_in=10)
    at_client, _ = make(database, SIGN_IN, ends_in=20)
    for_ever, _ = make(database, SIGN_IN, ends_in=None)
    make(database, CONSENT)
    make(database, SIGN_IN, user="grace")
    assert listed(database, now=NOW + 9) == [for_ever, at_client, session]
    assert listed(database, now=NOW + 10) == [for_ever, at_client]
    assert listed(database, now=NOW + 20) == [for_ever]


def test_pages_follow_one_another(database: Database) -> None:
    first, second, third = (make(database, SIGN_IN)[0] for _ in range(3))
    assert listed(database, limit=2) == [third, second]
    assert listed(database, limit=2, before=second) == [first]
    assert listed(database, before=2**31 - 1) == [third, second, first]


def test_only_ones_own_end(database: Database) -> None:
    (one, index), (consent, _) = make(database, SIGN_IN), make(database, CONSENT)
    for user, number in (("grace", one), ("ada", consent)):
        with pytest.raises(refusals.NotFound):
            end(database, user, number)
    assert revoked(database) == set()
    end(database, "ada", one)
    end(database, "ada", one)
    assert (revoked(database), listed(database)) == ({index}, [])
