"""An authorization code is good once, for a minute, for its client, while its session lasts."""

from __future__ import annotations

import pytest
from sqlmodel import select

from issuer.store import authorization_codes, user_grants, users
from issuer.store.database import Database, Transaction
from issuer.store.tables import AuthorizationCode, UserGrant
from issuer.store.user_grants import SESSION, SIGN_IN, Authentication, Place
from tests.issuer.store import databases
from tests.issuer.store.databases import HASH_KEY, NOW, count, revoked, write
from verifier import Scope

database = databases.database
CLIENT, OTHER = "hma_app", "hma_other"
SESSION_SECONDS = 1000


@pytest.fixture
def code(database: Database) -> str:
    """One that ada's browser got in a session of its own."""
    with write(database) as tx:
        user = users.create(tx, "ada").principal
        session = make_grant(tx, SESSION, "console")
        row = AuthorizationCode(
            hash=b"",
            client_id=CLIENT,
            user_id=user.id,
            session_id=session.id,
            redirect_uri="https://app.test/cb",
            scope="data:get@*",
            audience="urn:hourmark:services",
            code_challenge="c" * 43,
            authenticated_at=NOW,
            expires_at=0,
        )
        return authorization_codes.add(tx, row, HASH_KEY.key)


def make_grant(tx: Transaction, kind: str, client_id: str) -> UserGrant:
    return user_grants.create(
        tx,
        kind,
        users.get(tx.session, "ada").principal,
        client_id,
        scope=Scope.parse("data:get@*"),
        authentication=Authentication(NOW, ("pwd",)),
        place=Place("127.0.0.1", "tests"),
        expires_at=NOW + SESSION_SECONDS,
    )


def redeem(database: Database, code: str, client_id: str = CLIENT, *, after: int = 0) -> bool:
    with write(database, NOW + after) as tx:
        return authorization_codes.redeem(tx, code, client_id, HASH_KEY.key) is not None


def become(database: Database, code: str) -> int:
    """Redeems it for a sign-in; returns that one's status index."""
    with write(database) as tx:
        row = authorization_codes.redeem(tx, code, CLIENT, HASH_KEY.key)
        assert row is not None
        sign_in = make_grant(tx, SIGN_IN, CLIENT)
        authorization_codes.became(tx, row, sign_in)
        return sign_in.status_index


@pytest.mark.parametrize(("after", "is_good"), [(0, True), (59, True), (60, False)])
def test_it_is_good_for_a_minute(database: Database, code: str, after: int, is_good: bool) -> None:
    assert redeem(database, code, after=after) is is_good


def test_it_is_good_once(database: Database, code: str) -> None:
    assert [redeem(database, code) for _ in range(2)] == [True, False]


def test_another_client_gets_nothing_and_burns_it(database: Database, code: str) -> None:
    assert not redeem(database, code, OTHER)
    assert not redeem(database, code)


@pytest.mark.parametrize("client_id", [CLIENT, OTHER])
def test_coming_again_it_ends_what_it_became(database: Database, code: str, client_id: str) -> None:
    index = become(database, code)
    assert revoked(database) == set()
    assert not redeem(database, code, client_id, after=authorization_codes.LIFETIME + 1)
    assert revoked(database) == {index}
    with database.read() as session:
        assert user_grants.by_index(session, index) is None


def test_of_a_session_that_was_ended(database: Database, code: str) -> None:
    with write(database) as tx:
        user = users.get(tx.session, "ada").principal
        user_grants.end(tx, user_grants.of_user(tx.session, user, kind=SESSION))
    assert not redeem(database, code)


def test_of_a_session_that_expired_and_was_not_swept_away_yet(database: Database, code: str) -> None:
    with write(database) as tx:
        (session,) = user_grants.of_user(tx.session, users.get(tx.session, "ada").principal)
        session.expires_at = NOW + 1
        tx.session.add(session)
    assert not redeem(database, code, after=1)


@pytest.mark.parametrize("text", ["", "hmc_", "hmc_" + "0" * 38, "hmr_" + "0" * 38, "\0"])
@pytest.mark.usefixtures("code")
def test_what_is_no_code(database: Database, text: str) -> None:
    assert not redeem(database, text)


def test_only_its_hash_is_kept_and_not_for_ever(database: Database, code: str) -> None:
    with database.read() as session:
        (row,) = session.exec(select(AuthorizationCode)).all()
        assert code.encode() not in row.hash
    for days, kept in ((1, 1), (2, 0)):
        with write(database, NOW + days * 86400) as tx:
            authorization_codes.forget_old(tx)
        assert count(database, "authorization_code") == kept
