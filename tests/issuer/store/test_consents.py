"""A consent is one row for a user and an app: it widens in place, and ends with all that came of it."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from issuer.store import consents, credentials, refusals, user_grants, users
from issuer.store.database import Database, Transaction
from issuer.store.tables import AuditRow, Principal, UserGrant
from issuer.store.user_grants import CONSENT, SESSION, SIGN_IN, Authentication, Place
from tests.issuer.store import databases
from tests.issuer.store.databases import NOW, count, revoked, write
from verifier import Scope

database = databases.database
CLIENT, OTHER = "hma_app", "hma_other"
AUTHENTICATION, PLACE = Authentication(NOW, ("pwd",)), Place("127.0.0.1", "tests")


@pytest.fixture(autouse=True)
def _people(database: Database) -> None:
    with write(database) as tx:
        for name in ("ada", "grace"):
            users.create(tx, name)


def person(tx: Transaction, name: str = "ada") -> Principal:
    return users.get(tx.session, name).principal


def give(database: Database, scope: str, *, user: str = "ada", client_id: str = CLIENT) -> int:
    """Returns the consent's status index."""
    with write(database) as tx:
        row = consents.give(
            tx,
            person(tx, user),
            client_id,
            Scope.parse(scope),
            authentication=AUTHENTICATION,
            place=PLACE,
        )
        return row.status_index


def make(database: Database, kind: str, *, client_id: str = CLIENT) -> int:
    with write(database) as tx:
        row = user_grants.create(
            tx,
            kind,
            person(tx),
            client_id,
            scope=Scope.parse("data:get@*"),
            authentication=AUTHENTICATION,
            place=PLACE,
            expires_at=NOW + 1000,
        )
        return row.status_index


def known(database: Database, user: str = "ada", client_id: str = CLIENT) -> str:
    with database.read() as session:
        row = consents.find(session, users.get(session, user).principal.id, client_id)
        return str(consents.scope_of(row))


def actions(database: Database) -> list[str]:
    with database.read() as session:
        rows = session.exec(select(AuditRow).order_by(col(AuditRow.number)))
        return [row.action for row in rows if row.action.startswith("consent:")]


def test_it_widens_and_no_token_ends(database: Database) -> None:
    first = give(database, "data:get@a offline_access")
    assert give(database, "data:put@a openid") == first
    assert known(database) == "data:get@a data:put@a offline_access openid"
    assert (revoked(database), count(database, "user_grant")) == (set(), 1)
    assert actions(database) == ["consent:give", "consent:give"]


@pytest.mark.parametrize("scope", ["data:get@*", "data:get@x", "openid", ""])
def test_what_it_holds_already_changes_nothing(database: Database, scope: str) -> None:
    give(database, "data:get@* openid")
    give(database, scope)
    assert known(database) == "data:get@* openid"
    assert actions(database) == ["consent:give"]


def test_a_wider_permission_takes_the_place_of_a_narrower(database: Database) -> None:
    give(database, "data:get@x")
    give(database, "data:get@*")
    assert known(database) == "data:get@*"


def test_it_is_of_one_user_at_one_app(database: Database) -> None:
    give(database, "data:get@*")
    assert (known(database, "grace"), known(database, client_id=OTHER)) == ("", "")


def test_withdrawing_ends_it_with_every_sign_in_at_the_app(database: Database) -> None:
    ended = {give(database, "data:get@*"), make(database, SIGN_IN), make(database, SIGN_IN)}
    give(database, "data:get@*", user="grace")
    give(database, "data:get@*", client_id=OTHER)
    make(database, SIGN_IN, client_id=OTHER)
    make(database, SESSION, client_id="console")
    with write(database) as tx:
        consents.withdraw(tx, person(tx), CLIENT)
    assert revoked(database) == ended
    assert (known(database), known(database, "grace")) == ("", "data:get@*")
    assert count(database, "user_grant") == 4
    assert actions(database)[-1] == "consent:withdraw"


def test_withdrawing_what_is_not_there(database: Database) -> None:
    give(database, "data:get@*", user="grace")
    with write(database) as tx, pytest.raises(refusals.NotFound):
        consents.withdraw(tx, person(tx), CLIENT)


def test_signing_out_everywhere_ends_its_tokens_and_leaves_it(database: Database) -> None:
    before = give(database, "data:get@*")
    with write(database) as tx:
        credentials.end_sign_ins_of(tx, person(tx))
    assert (revoked(database), known(database)) == ({before}, "data:get@*")
    with database.read() as session:
        (row,) = session.exec(select(UserGrant).where(UserGrant.kind == CONSENT)).all()
        assert row.status_index != before
