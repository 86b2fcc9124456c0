from __future__ import annotations

import pytest

from issuer.store import role_keys
from issuer.store.database import Database
from issuer.store.role_keys import LoadedKey, NoSuchKey
from issuer.store.tables import RoleKeyRow
from tests.issuer.store.databases import (
    ACTOR,
    HASH_KEY,
    NOW,
    ROLE,
    add_key,
    count,
    delete_key,
    indices,
    make_role,
    renew,
    revoked,
    role,
    version,
    write,
)

OTHER = "role:org.account.other"
HOUR = 3600


def load(database: Database, access: str) -> LoadedKey | None:
    with database.read() as session:
        loaded = role_keys.load(session, access)
        session.expunge_all()
        return loaded


def ends(database: Database, access: str) -> list[int | None]:
    loaded = load(database, access)
    assert loaded is not None
    return [secret.ends_at for secret in loaded.secrets]


def test_a_new_role_key(database: Database) -> None:
    make_role(database, "job:*@*", "data:get@x")
    with write(database) as tx:
        key = add_key(tx, scope="job:get@*", expires_at=NOW + HOUR)
    loaded = load(database, key.access)
    assert loaded is not None
    assert loaded.principal.name == ROLE
    assert set(map(str, loaded.held.permissions)) == {"job:*@*", "data:get@x"}
    row = loaded.row
    assert (row.scope, row.created_at, row.created_by) == ("job:get@*", NOW, ACTOR)
    assert (row.expires_at, row.last_exchanged_at, row.name) == (NOW + HOUR, None, "a key")
    assert [(secret.hash, secret.ends_at) for secret in loaded.secrets] == [(key.hash(HASH_KEY.key), None)]


def test_no_secret_is_kept_in_the_clear(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        key = add_key(tx)
        key = renew(tx, key.access)
    with database.read() as session:
        for table in ("role_key", "secret", "audit", "change", "status_index"):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()  # noqa: S608 - no input
            assert key.secret not in repr(rows)
            assert key.secret.encode() not in b"".join(
                bytes(value) for row in rows for value in row if isinstance(value, bytes | memoryview)
            )


def test_an_unknown_role_key(database: Database) -> None:
    make_role(database)
    make_role(database, name=OTHER)
    with write(database) as tx:
        access = add_key(tx).access
    assert load(database, "hmk_0000000000000000") is None
    for principal, wrong in ((OTHER, access), (ROLE, "hmk_0000000000000000")):
        with pytest.raises(NoSuchKey), write(database) as tx:
            delete_key(tx, wrong, principal)
        with pytest.raises(NoSuchKey), write(database) as tx:
            renew(tx, wrong, principal=principal)
    assert load(database, access) is not None


def test_renewing_without_grace_ends_all_old_secrets(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx).access
        renew(tx, access, grace=HOUR)
        renew(tx, access, grace=2 * HOUR)
    old = indices(database, access)
    assert len(set(old)) == 3
    before = version(database)
    with write(database) as tx:
        newest = renew(tx, access)
    loaded = load(database, access)
    assert loaded is not None
    assert [secret.hash for secret in loaded.secrets] == [newest.hash(HASH_KEY.key)]
    assert revoked(database) == set(old)
    assert version(database) == before + 1


def test_renewing_with_grace_ends_nothing_yet(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx).access
    before = version(database)
    with write(database, NOW + 10) as tx:
        renew(tx, access, grace=600)
    with write(database, NOW + 20) as tx:
        renew(tx, access, grace=HOUR)
    assert ends(database, access) == [NOW + 610, NOW + 20 + HOUR, None]
    assert (version(database), revoked(database)) == (before, set())


def test_grace_ends_with_the_role_key(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx, expires_at=NOW + 100).access
        renew(tx, access, grace=HOUR)
    assert ends(database, access) == [NOW + 100, None]


def test_deleting_a_role_key_lists_what_it_made(database: Database) -> None:
    make_role(database, "role-key:create@*")
    with write(database) as tx:
        parent, bystander = add_key(tx), add_key(tx)
    with database.write(actor=parent.access, now=NOW) as tx:
        children = {add_key(tx).access, add_key(tx).access}
    held = indices(database, parent.access)
    with write(database) as tx:
        assert set(delete_key(tx, parent.access)) == children
    assert load(database, parent.access) is None
    assert revoked(database) == set(held)
    assert (count(database, "role_key"), count(database, "secret")) == (3, 3)
    with write(database) as tx:
        assert delete_key(tx, bystander.access) == []


def test_revoking_rolls_the_index_of_one_secret(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx).access
        renew(tx, access, grace=600)
    old, current = indices(database, access)
    for again in (1, 2):
        with write(database) as tx:
            role_keys.end_tokens_at(tx, access, old)
        assert revoked(database) == {old}
        assert version(database) == 2, f"time {again}"
    rolled, still = indices(database, access)
    assert still == current
    assert rolled not in (old, current)
    assert ends(database, access) == [NOW + 600, None]


def test_revoking_for_a_role_key_that_is_gone_does_nothing(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        key, other = add_key(tx), add_key(tx)
    (index,), (others,) = indices(database, key.access), indices(database, other.access)
    with write(database) as tx:
        role_keys.end_tokens_at(tx, key.access, others)
        role_keys.end_tokens_at(tx, "hmk_0000000000000000", index)
    assert (revoked(database), version(database)) == (set(), 1)


def test_the_id_of_a_deleted_secret_is_not_used_again(database: Database) -> None:
    """The owner of a status index is a secret's id."""
    make_role(database)
    seen: set[int] = set()
    for _ in range(3):
        with write(database) as tx:
            access = add_key(tx).access
        loaded = load(database, access)
        assert loaded is not None
        assert loaded.secrets[0].id not in seen
        seen.add(loaded.secrets[0].id)
        with write(database) as tx:
            delete_key(tx, access)


def test_pages_of_role_keys(database: Database) -> None:
    make_role(database)
    make_role(database, name=OTHER)
    with write(database) as tx:
        accesses = sorted(add_key(tx).access for _ in range(5))
        add_key(tx, principal=OTHER)
    seen: list[str] = []
    with database.read() as session:
        while page := role_keys.list_of(session, role(session), after=seen[-1] if seen else "", limit=2):
            seen += [row.access for row in page]
    # A database's own collation decides the order; it has to be one order.
    assert sorted(seen) == accesses


@pytest.mark.parametrize(
    ("expired", "found"),
    [
        (None, {"lasting", "ended", "ending", "later"}),
        (False, {"lasting", "later"}),
        (True, {"ended", "ending"}),
    ],
)
def test_role_keys_that_have_expired_or_not(
    database: Database, expired: bool | None, found: set[str]
) -> None:
    make_role(database)
    ends = {"lasting": None, "ended": NOW - 1, "ending": NOW, "later": NOW + 1}
    with write(database, NOW - HOUR) as tx:
        names = {add_key(tx, expires_at=ends_at).access: name for name, ends_at in ends.items()}
    with database.read() as session:
        rows = role_keys.list_of(session, role(session), after="", limit=10, expired=expired, now=NOW)
        assert {names[row.access] for row in rows} == found


def test_role_keys_by_who_made_them(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        add_key(tx)
    with database.write(actor="hmk_OtherOtherOther0", now=NOW) as tx:
        accesses = {add_key(tx).access for _ in range(3)}
    with database.read() as session:

        def page(after: str, created_by: str) -> list[str]:
            rows = role_keys.list_of(session, role(session), after=after, limit=2, created_by=created_by)
            return [row.access for row in rows]

        first = page("", "hmk_OtherOtherOther0")
        rest = page(first[-1], "hmk_OtherOtherOther0")
        assert (len(first), {*first, *rest}) == (2, accesses)
        assert page("", "hmk_otherOtherOther0") == []


def test_when_a_key_was_exchanged_is_kept_without_a_change(database: Database) -> None:
    make_role(database)
    with write(database) as tx:
        access = add_key(tx).access
    changes, rows = count(database, "change"), count(database, "audit")
    with write(database) as tx:
        role_keys.note_exchanges(tx.session, {access: NOW + 7, "hmk_0000000000000000": NOW})
    assert (count(database, "change"), count(database, "audit")) == (changes, rows)
    with database.read() as session:
        assert session.get_one(RoleKeyRow, access).last_exchanged_at == NOW + 7
