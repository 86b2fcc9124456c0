"""A refresh token is good once and gives the next; coming again it ends the whole family."""

from __future__ import annotations

import pytest
from sqlmodel import select

from issuer.signing import NoSigningKey
from issuer.store import refresh_tokens, user_grants, users
from issuer.store.database import Database
from issuer.store.tables import AuditRow, RefreshToken
from issuer.store.user_grants import SIGN_IN, Authentication, Place
from tests.issuer.store import databases
from tests.issuer.store.databases import HASH_KEY, NOW, count, revoked, write
from verifier import Scope

database = databases.database
CLIENT, OTHER = "hma_app", "hma_other"
LIFETIME = 1000


@pytest.fixture
def first(database: Database) -> str:
    """That of a new sign-in of ada's."""
    with write(database) as tx:
        row = user_grants.create(
            tx,
            SIGN_IN,
            users.create(tx, "ada").principal,
            CLIENT,
            scope=Scope.parse("data:get@* offline_access"),
            authentication=Authentication(NOW, ("pwd",)),
            place=Place("127.0.0.1", "tests"),
            expires_at=NOW + LIFETIME,
        )
        return refresh_tokens.add(tx, row, HASH_KEY.key)


def rotate(database: Database, token: str, client_id: str = CLIENT, *, after: int = 0) -> str | None:
    with write(database, NOW + after) as tx:
        rotated = refresh_tokens.rotate(tx, token, client_id, HASH_KEY.key)
        return None if rotated is None else rotated.refresh_token


def test_each_gives_the_next(database: Database, first: str) -> None:
    second = rotate(database, first)
    assert second not in (None, first)
    third = rotate(database, second or "")
    assert third not in (None, first, second)
    assert revoked(database) == set()


@pytest.mark.parametrize("rotations", [1, 2, 3])
def test_reuse_ends_the_family_however_old_it_is(database: Database, first: str, rotations: int) -> None:
    last = first
    for _ in range(rotations):
        last = rotate(database, last) or ""
    assert rotate(database, first) is None
    assert rotate(database, last) is None
    assert (count(database, "user_grant"), count(database, "refresh_token")) == (0, 0)
    assert len(revoked(database)) == 1
    with database.read() as session:
        assert "sign-in:reuse" in {row.action for row in session.exec(select(AuditRow))}


def test_another_client_gets_nothing_and_ends_nothing(database: Database, first: str) -> None:
    assert rotate(database, first, OTHER) is None
    assert rotate(database, first) is not None


@pytest.mark.parametrize(("after", "is_good"), [(LIFETIME - 1, True), (LIFETIME, False)])
def test_the_sign_in_ends_when_it_was_to_end(
    database: Database, first: str, after: int, is_good: bool
) -> None:
    second = rotate(database, first)
    assert (rotate(database, second or "", after=after) is not None) is is_good


def test_what_fails_behind_it_uses_nothing_up(database: Database, first: str) -> None:
    def fail() -> None:
        with write(database) as tx:
            assert refresh_tokens.rotate(tx, first, CLIENT, HASH_KEY.key) is not None
            raise NoSigningKey

    with pytest.raises(NoSigningKey):
        fail()
    assert count(database, "refresh_token") == 1
    assert rotate(database, first) is not None


def test_only_hashes_are_kept(database: Database, first: str) -> None:
    with database.read() as session:
        (row,) = session.exec(select(RefreshToken)).all()
        assert first.encode() not in row.hash


def test_a_used_one_is_found_but_not_as_unused(database: Database, first: str) -> None:
    rotate(database, first)
    with database.read() as session:
        assert refresh_tokens.find(session, first, HASH_KEY.key) is not None
        assert refresh_tokens.find_unused(session, first, HASH_KEY.key) is None


@pytest.mark.parametrize("text", ["", "hmr_", "hmr_" + "0" * 38, "hmc_" + "0" * 38, "\0"])
@pytest.mark.usefixtures("first")
def test_what_is_no_refresh_token(database: Database, text: str) -> None:
    assert rotate(database, text) is None
