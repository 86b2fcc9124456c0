"""The jti of a client's assertion is taken once, for as long as the assertion would be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from issuer.store import client_assertions
from issuer.store.database import Database
from tests.issuer.store import databases
from tests.issuer.store.databases import NOW, count, write

database = databases.database
LIFETIME = 60
AT_ONCE = 8


def take(database: Database, client_id: str = "hma_app", token_id: str = "jti") -> bool:
    with write(database) as tx:
        return client_assertions.take(tx, client_id, token_id, NOW + LIFETIME)


def test_it_is_taken_once_by_its_client(database: Database) -> None:
    assert [take(database) for _ in range(2)] == [True, False]
    assert take(database, token_id="JTI"), "letter by letter"
    assert take(database, "hma_other"), "each client has its own"


def test_of_many_at_once_one_is_taken(database: Database) -> None:
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        taken = list(crowd.map(lambda _: take(database), range(AT_ONCE)))
    assert taken.count(True) == 1


def test_it_is_remembered_until_it_expires(database: Database) -> None:
    take(database)
    for after, is_kept in ((LIFETIME - 1, True), (LIFETIME, False)):
        with write(database, NOW + after) as tx:
            assert client_assertions.has_expired(tx.session, tx.now) is not is_kept
            client_assertions.forget_expired(tx)
        assert count(database, "client_assertion") == is_kept
