from __future__ import annotations

from typing import Any

import pytest
from annotated_types import Le

from issuer.settings import Settings
from issuer.store import principals, role_keys, status_indices
from issuer.store.database import Database
from issuer.store.status_indices import MARGIN, MAX_LATE_SECONDS, MAX_TOKEN_SECONDS, StatusListFull
from issuer.store.tables import StatusIndex
from tests.issuer.store.databases import (
    NOW,
    ROLE,
    add_key,
    count,
    delete_key,
    execute,
    indices,
    make_role,
    renew,
    revoked,
    version,
    write,
)
from verifier.status_list import ENTRIES

HOUR, DAY = 3600, 86400
LIST_LIFETIME = 7200
CARRIED = MAX_TOKEN_SECONDS + MAX_LATE_SECONDS + MARGIN
"""How long after its last use a token may carry an index."""


@pytest.fixture(autouse=True)
def _role(database: Database) -> None:
    make_role(database)


def create(database: Database, now: int = NOW, **options: Any) -> tuple[str, int]:
    """(access, index) of a new role key."""
    with write(database, now) as tx:
        access = add_key(tx, **options).access
    (index,) = indices(database, access)
    return access, index


def delete(database: Database, access: str, now: int = NOW) -> None:
    with write(database, now) as tx:
        delete_key(tx, access)


def advance(database: Database, now: int) -> None:
    with write(database, now) as tx:
        status_indices.advance(tx, list_lifetime=LIST_LIFETIME)


def is_due(database: Database, now: int) -> bool:
    with database.read() as session:
        return status_indices.is_due(session, now)


def test_every_secret_has_an_index_of_its_own(database: Database) -> None:
    taken = [create(database)[1] for _ in range(3)]
    assert taken == [0, 1, 2]
    assert (revoked(database), version(database)) == (set(), 1)


def test_a_bit_is_set_until_every_token_has_expired(database: Database) -> None:
    access, index = create(database)
    delete(database, access)
    assert (revoked(database), version(database)) == ({index}, 2)
    for now in (NOW, NOW + HOUR, NOW + CARRIED - 1):
        assert not is_due(database, now)
        advance(database, now)
        assert (revoked(database), version(database)) == ({index}, 2), "too early"
    assert is_due(database, NOW + CARRIED)
    advance(database, NOW + CARRIED)
    assert (revoked(database), version(database)) == (set(), 3)
    assert not is_due(database, NOW + CARRIED)


def test_an_index_rests_until_every_list_that_had_it_set_has_expired(database: Database) -> None:
    access, index = create(database)
    delete(database, access)
    assert create(database, NOW + DAY)[1] != index, "set still"
    advance(database, NOW + DAY)
    assert create(database, NOW + DAY + LIST_LIFETIME + MARGIN - 1)[1] != index, "a list may have it set"
    assert create(database, NOW + DAY + LIST_LIFETIME + MARGIN)[1] == index
    assert create(database, NOW + DAY + LIST_LIFETIME + MARGIN)[1] != index, "it has an owner"


def test_margins_hold_for_a_process_that_is_cut_off_as_long_as_settings_allow() -> None:
    """It issues tokens for a role key that was deleted long ago, and such a token lives an hour."""
    (bound,) = [m.le for m in Settings.model_fields["outage_allowance"].metadata if isinstance(m, Le)]
    assert bound <= MAX_LATE_SECONDS
    (bound,) = [m.le for m in Settings.model_fields["token_ttl"].metadata if isinstance(m, Le)]
    assert bound <= MAX_TOKEN_SECONDS


def test_the_longest_free_index_comes_first(database: Database) -> None:
    keys = [create(database) for _ in range(3)]
    for step, which in enumerate((2, 0, 1)):
        delete(database, keys[which][0], NOW + step)
    later = NOW + DAY
    advance(database, later)
    assert create(database, later + DAY)[1] in {0, 1, 2}


def test_an_expired_role_key_gives_its_index_back_without_setting_it(database: Database) -> None:
    _, index = create(database, expires_at=NOW + 10 * HOUR)
    assert create(database, NOW + 10 * HOUR + MARGIN - 1)[1] != index
    assert create(database, NOW + 10 * HOUR + MARGIN)[1] == index
    assert (revoked(database), version(database)) == (set(), 1)


@pytest.mark.parametrize("grace", [1, 60, HOUR, 3 * HOUR])
def test_the_end_of_a_grace_ends_the_tokens_that_would_outlive_it(database: Database, grace: int) -> None:
    access, index = create(database)
    with write(database) as tx:
        renew(tx, access, grace=grace)
    assert not is_due(database, NOW + grace - 1)
    advance(database, NOW + grace - 1)
    assert (revoked(database), version(database)) == (set(), 1)
    assert is_due(database, NOW + grace)
    advance(database, NOW + grace)
    assert (revoked(database), version(database)) == ({index}, 2)
    assert create(database, NOW + grace + DAY)[1] != index, "set still"
    assert not is_due(database, NOW + grace + CARRIED - 1)
    advance(database, NOW + grace + CARRIED)
    assert (revoked(database), version(database)) == (set(), 3)


def test_a_planned_end_is_not_left_to_the_next_owner(database: Database) -> None:
    """No issuer ran when the grace ended, and the role key has expired meanwhile."""
    access, index = create(database, expires_at=NOW + HOUR)
    with write(database) as tx:
        renew(tx, access, grace=60)
    other, others = create(database, NOW + DAY)
    assert others == index
    advance(database, NOW + DAY)
    assert revoked(database) == set(), f"the tokens of {other} are refused"


def test_tokens_that_outlive_the_grace_end_when_the_role_key_is_deleted(database: Database) -> None:
    access, index = create(database)
    with write(database) as tx:
        renew(tx, access, grace=60)
    create(database, NOW + HOUR - 1)
    delete(database, access, NOW + HOUR - 1)
    assert index in revoked(database)


ENDS = ["delete the role key", "delete the role", "narrow", "renew", "renew with grace", "revoke"]


@pytest.mark.parametrize("end", ENDS)
def test_an_index_is_never_set_on_behalf_of_its_former_owner(database: Database, end: str) -> None:
    access, index = create(database, expires_at=NOW + HOUR)
    make_role(database, name="role:org.account.other")
    later = NOW + 2 * DAY
    other, others = create(database, later, principal="role:org.account.other")
    assert others == index
    with write(database, later) as tx:
        if end == "delete the role key":
            delete_key(tx, access)
        elif end == "delete the role":
            principals.delete_principal(tx, ROLE)
        elif end == "narrow":
            role_keys.end_tokens_of(tx, principals.get(tx.session, ROLE))
        elif end.startswith("renew"):
            renew(tx, access, grace=60 if end == "renew with grace" else 0)
        else:
            role_keys.end_tokens_at(tx, access, index)
    assert revoked(database) == set()
    advance(database, later + DAY)
    assert revoked(database) == set()
    assert indices(database, other) == [others]
    with database.read() as session:
        row = session.get_one(StatusIndex, others)
        assert (row.dead_from, row.owner.startswith("secret:")) == (None, True)


def test_an_expired_role_key_takes_no_fresh_index(database: Database) -> None:
    access, index = create(database, expires_at=NOW + HOUR)
    with write(database, NOW + HOUR) as tx:
        role_keys.end_tokens_of(tx, principals.get(tx.session, ROLE))
    assert indices(database, access) == [index]
    assert count(database, "status_index") == 1


def test_what_sets_no_bit_makes_no_version(database: Database) -> None:
    before = version(database)
    with write(database) as tx:
        principals.delete_principal(tx, ROLE)
    advance(database, NOW)
    assert version(database) == before


def test_one_transaction_makes_one_version(database: Database) -> None:
    access, _ = create(database)
    with write(database) as tx:
        for _ in range(5):
            add_key(tx)
        renew(tx, access, grace=60)
        renew(tx, access, grace=60)
    changes = count(database, "change")
    with write(database) as tx:
        principals.delete_principal(tx, ROLE)
    assert version(database) == 2
    assert len(revoked(database)) == 8
    assert count(database, "change") == changes + 2, "the principal and the list"


def test_many_dead_indices_are_cleared_by_one_version(database: Database) -> None:
    keys = [create(database) for _ in range(4)]
    for access, _ in keys:
        delete(database, access)
    before = version(database)
    advance(database, NOW + CARRIED)
    assert (revoked(database), version(database)) == (set(), before + 1)


def test_a_full_list(database: Database) -> None:
    """Nothing is half-made, and a deleted role key makes room after its time."""
    access, index = create(database)
    last = ENTRIES - 1
    execute(
        database,
        f"INSERT INTO status_index (\"index\", owner, is_set) VALUES ({last}, 'x', {_false(database)})",  # noqa: S608
    )
    before = [count(database, table) for table in ("role_key", "secret", "audit", "change", "status_index")]
    with pytest.raises(StatusListFull, match="delete role keys"):
        create(database)
    after = [count(database, table) for table in ("role_key", "secret", "audit", "change", "status_index")]
    assert after == before
    delete(database, access)
    with pytest.raises(StatusListFull):
        create(database)
    advance(database, NOW + DAY)
    assert create(database, NOW + 2 * DAY)[1] == index


def _false(database: Database) -> str:
    return "0" if database.is_sqlite else "false"
