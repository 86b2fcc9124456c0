"""Visits of browsers at apps: what ends one ends its tokens, and nothing is revived."""

from __future__ import annotations

import json

import pytest

from issuer.store import (
    credentials,
    secrets,
    status_indices,
    user_grants,
    users,
    visits,
)
from issuer.store.database import Database, Transaction
from issuer.store.tables import Principal, Secret, StatusIndex, UserGrant, Visit
from issuer.store.user_grants import CONSENT, SESSION, Authentication, Place
from issuer.store.visits import Opened
from tests.issuer.store import databases
from tests.issuer.store.databases import HASH_KEY, NOW, add_key, count, revoked, write
from verifier import Scope

database = databases.database
CLIENT, BROWSER = "hma_app", b"browser"


@pytest.fixture(autouse=True)
def _ada(database: Database) -> None:
    with write(database) as tx:
        users.create(tx, "ada")


def ada(tx: Transaction) -> Principal:
    return users.get(tx.session, "ada").principal


def grant(tx: Transaction, kind: str) -> UserGrant:
    return user_grants.create(
        tx,
        kind,
        ada(tx),
        CLIENT,
        scope=Scope.parse("data:get@*"),
        authentication=Authentication(NOW, ("pwd",)),
        place=Place("127.0.0.1", "tests"),
        expires_at=NOW + 5000,
    )


def secret(tx: Transaction) -> Secret:
    return secrets.of(tx.session, [add_key(tx, principal="user:ada").access])[0]


def begin(tx: Transaction, client_id: str = CLIENT, **opened: object) -> Visit:
    """One whose code was used."""
    code = visits.begin(
        tx,
        client_id,
        Opened(ada(tx).id, **opened),  # type: ignore[arg-type]
        target="/",
        browser_hash=BROWSER,
        address="127.0.0.1",
        user_agent="tests",
        lifetime=3000,
        hash_key=HASH_KEY.key,
    )
    assert visits.redeem(tx, code, client_id, browser_hash=BROWSER, hash_key=HASH_KEY.key)
    return max(visits.of_client(tx.session, client_id), key=lambda visit: visit.id or 0)


def by_token(tx: Transaction, index: int) -> Visit:
    return begin(tx, claims=json.dumps({}), token_index=index, expires_at=NOW + 600)


def test_a_secret_that_is_renewed_ends_it_now_or_with_its_grace(database: Database) -> None:
    with write(database) as tx:
        key = secret(tx)
        visit = begin(tx, secret_id=key.id)
        secrets.end_at(tx, [key], NOW + 100)
        assert visit.expires_at == NOW + 100
        index, key_id = visit.status_index, key.id
    assert index not in revoked(database)
    with write(database, now=NOW + 100) as tx:
        status_indices.advance(tx, list_lifetime=60)
    assert index in revoked(database)
    with write(database) as tx:
        secrets.drop(tx, [tx.session.get_one(Secret, key_id)])
    assert count(database, "visit") == 0


def test_what_opened_it_is_narrowed_and_it_goes_on_with_another_index(database: Database) -> None:
    with write(database) as tx:
        session = grant(tx, SESSION)
        opened = [begin(tx, session_id=session.id), begin(tx, secret_id=secret(tx).id)]
        before = {visit.status_index for visit in opened}
        credentials.end_tokens_of(tx, ada(tx))
        after = {visit.status_index for visit in opened}
    assert before <= revoked(database)
    assert not after & revoked(database)


def test_a_consent_that_ends_takes_the_index_of_visits_at_its_app_alone(database: Database) -> None:
    with write(database) as tx:
        consent, session = grant(tx, CONSENT), grant(tx, SESSION)
        there, elsewhere = begin(tx, session_id=session.id), begin(tx, "hma_other", session_id=session.id)
        before, other = there.status_index, elsewhere.status_index
        user_grants.end(tx, [consent])
        assert (there.status_index != before, elsewhere.status_index) == (True, other)
    assert before in revoked(database)
    assert other not in revoked(database)


def test_whatever_ends_a_token_ends_what_came_of_it(database: Database) -> None:
    """Also what came of that."""
    with write(database) as tx:
        session = grant(tx, SESSION)
        first = by_token(tx, session.status_index)
        second, other = by_token(tx, first.status_index), by_token(tx, grant(tx, SESSION).status_index)
        indices = {session.status_index, first.status_index, second.status_index}
        user_grants.end(tx, [session])
        unharmed = other.status_index
    assert indices <= revoked(database)
    assert unharmed not in revoked(database)


def test_what_a_token_opened_never_gets_another_index(database: Database) -> None:
    """The token has ended: a consent that changes afterwards does not bring its visit back."""
    with write(database) as tx:
        consent, session = grant(tx, CONSENT), grant(tx, SESSION)
        by_token(tx, session.status_index)
        user_grants.end(tx, [session])
        user_grants.end_tokens(tx, [consent])
    assert count(database, "visit") == 0


def test_a_planned_end_of_a_token_is_that_of_its_visit(database: Database) -> None:
    with write(database) as tx:
        key = secret(tx)
        index = by_token(tx, key.status_index).status_index
        secrets.end_at(tx, [key], NOW + 100)
    with write(database, now=NOW + 100) as tx:
        status_indices.advance(tx, list_lifetime=60)
    assert index in revoked(database)


def test_an_index_that_is_used_again_has_no_parent(database: Database) -> None:
    with write(database) as tx:
        session = grant(tx, SESSION)
        index = by_token(tx, session.status_index).status_index
        tx.session.get_one(StatusIndex, index).dead_from = NOW
        tx.session.flush()
        assert status_indices.allocate(tx, "somebody else") == index
        user_grants.end(tx, [session])
    assert index not in revoked(database)


def test_signed_out_everywhere_but_where_the_password_was_changed(database: Database) -> None:
    with write(database) as tx:
        here, there = grant(tx, SESSION), grant(tx, SESSION)
        kept = begin(tx, session_id=here.id).id
        begin(tx, session_id=there.id)
        begin(tx, secret_id=secret(tx).id)
        credentials.end_sign_ins_of(tx, ada(tx), keep=here.id)
        assert [visit.id for visit in visits.of_principal(tx.session, ada(tx))] == [kept]


def test_a_code_that_was_never_used_leaves_its_index_to_others(database: Database) -> None:
    later = NOW + visits.CODE_LIFETIME
    with write(database) as tx:
        session = grant(tx, SESSION)
        visits.begin(
            tx,
            CLIENT,
            Opened(ada(tx).id, session_id=session.id),
            target="/",
            browser_hash=BROWSER,
            address="",
            user_agent="",
            lifetime=3000,
            hash_key=HASH_KEY.key,
        )
    with write(database, now=later) as tx:
        assert visits.has_expired(tx.session, later)
        visits.forget_expired(tx)
    with database.read() as reading:
        assert status_indices.count_in_use(reading, later + status_indices.MARGIN) == 1
