from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from contextlib import closing

import anyio
import pytest

from issuer import credentials as credentials_module
from issuer.credentials import Credentials, InvalidCredential
from issuer.store import principals, role_keys, signing_keys
from issuer.store.database import Database, StoreUnavailable, Transaction
from issuer.store.role_keys import LoadedKey
from issuer.store.secrets import HashKeyInForce
from keys import RoleKey
from tests.issuer.store import databases
from tests.issuer.store.databases import (
    HASH_KEY,
    KEK,
    NOW,
    ROLE,
    add_key,
    delete_key,
    execute,
    indices,
    make_role,
    renew,
    write,
)
from verifier import Permission

database = databases.database
pytestmark = pytest.mark.anyio
USER = "user:ada"


@pytest.fixture
def known(database: Database) -> Credentials:
    make_role(database, "job:*@*", "data:get@x")
    credentials = Credentials(database, KEK)
    credentials.load_hash_keys()
    return credentials


@pytest.fixture
def key(database: Database, known: Credentials) -> RoleKey:
    del known
    with write(database) as tx:
        return add_key(tx)


async def is_good(known: Credentials, key: RoleKey, now: float = NOW) -> bool:
    try:
        proven = await known.prove(key.reveal(), now)
    except InvalidCredential:
        return False
    assert proven.client_id == key.access
    return True


async def test_what_a_role_key_is_the_key_to(database: Database, known: Credentials, key: RoleKey) -> None:
    proven = await known.prove(key.reveal(), NOW)
    assert (proven.subject, proven.client_id, proven.roles_within(proven.rights)) == (
        ROLE,
        key.access,
        ("org.account.ci",),
    )
    assert set(map(str, proven.rights.permissions)) == {"job:*@*", "data:get@x"}
    assert [proven.status_index] == indices(database, key.access)
    assert proven.ends_at is None


@pytest.mark.parametrize(
    ("scope", "rights", "roles"),
    [
        (None, {"job:*@*", "data:get@x"}, ("org.account.ci",)),
        ("*", {"job:*@*", "data:get@x"}, ("org.account.ci",)),
        ("job:get@a data:get@y", {"job:get@a"}, ()),
        ("app:query@*", set(), ()),
    ],
)
async def test_a_narrowed_role_key(
    database: Database, known: Credentials, scope: str | None, rights: set[str], roles: tuple[str, ...]
) -> None:
    with write(database) as tx:
        key = add_key(tx, scope=scope)
    grant = await known.prove(key.reveal(), NOW)
    assert {str(permission) for permission in grant.rights.permissions} == rights
    assert grant.roles_within(grant.rights) == roles


async def test_a_users_role_key_carries_no_role(database: Database, known: Credentials) -> None:
    make_role(database, "*", name=USER)
    with write(database) as tx:
        key = add_key(tx, principal=USER)
    grant = await known.prove(key.reveal(), NOW)
    assert (grant.subject, grant.roles_within(grant.rights), str(grant.rights)) == (USER, (), "*")


async def test_a_known_role_key_is_proven_without_the_database(
    database: Database, known: Credentials, key: RoleKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known.prove(key.reveal(), NOW)
    database.close()
    monkeypatch.setattr(Database, "read", _fail)
    monkeypatch.setattr(Database, "write", _fail)
    assert await is_good(known, key)
    assert not await is_good(known, RoleKey.generate(key.access)), "nor is a wrong secret a reason to look"
    known.forget(ROLE)
    with pytest.raises(StoreUnavailable):
        await known.prove(key.reveal(), NOW)


def _fail(*_: object, **__: object) -> None:
    raise StoreUnavailable("must not be asked")


CHANGES: dict[str, tuple[Callable[[Transaction, RoleKey], object], bool]] = {
    "deleted": (lambda tx, key: delete_key(tx, key.access), False),
    "renewed": (lambda tx, key: renew(tx, key.access), False),
    "renewed with grace": (lambda tx, key: renew(tx, key.access, grace=60), True),
    "its role deleted": (lambda tx, _: principals.delete_principal(tx, ROLE), False),
    "its role widened": (lambda tx, _: principals.add_policy(tx, ROLE, Permission.parse("a:b@c")), True),
}


@pytest.mark.parametrize(("work", "stays"), CHANGES.values(), ids=CHANGES.keys())
async def test_a_change_counts_once_it_is_told(
    database: Database,
    known: Credentials,
    key: RoleKey,
    work: Callable[[Transaction, RoleKey], object],
    stays: bool,
) -> None:
    before = await known.prove(key.reveal(), NOW)
    with write(database) as tx:
        other = add_key(tx, principal=_other_role(tx))
        work(tx, key)
    others = await known.prove(other.reveal(), NOW)
    assert await known.prove(key.reveal(), NOW) is before
    known.forget(ROLE)
    assert await is_good(known, key) == stays
    if stays:
        assert await known.prove(key.reveal(), NOW) is not before
    assert await known.prove(other.reveal(), NOW) is others, "others are not concerned"
    known.forget_all()
    assert await known.prove(other.reveal(), NOW) is not others


def _other_role(tx: Transaction) -> str:
    return principals.create(tx, "role:org.account.other").name


@pytest.mark.parametrize("is_told_by_principal", [True, False])
async def test_a_change_during_the_read_is_never_kept_as_it_was(
    database: Database,
    known: Credentials,
    key: RoleKey,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_told_by_principal: bool,
) -> None:
    """What was read before the change must not be kept after it: nobody would tell again."""
    has_read, may_go_on = threading.Event(), threading.Event()
    load, reads = role_keys.load, []

    def slow_load(session: object, access: str) -> LoadedKey | None:
        loaded = load(session, access)  # type: ignore[arg-type]
        reads.append(access)
        has_read.set()
        assert may_go_on.wait(10)
        return loaded

    monkeypatch.setattr(role_keys, "load", slow_load)
    outcome: list[bool] = []

    async def ask() -> None:
        outcome.append(await is_good(known, key))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.to_thread.run_sync(has_read.wait, 10)
        with write(database) as tx:
            delete_key(tx, key.access)
        if is_told_by_principal:
            known.forget(ROLE)
        else:
            known.forget_all()
        may_go_on.set()
    assert outcome == [False]
    assert len(reads) == 2
    assert not await is_good(known, key)


async def test_many_ask_at_once_for_what_is_not_known_yet(known: Credentials, key: RoleKey) -> None:
    answers: list[bool] = []

    async def ask() -> None:
        answers.append(await is_good(known, key))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert answers == [True] * 20


async def test_a_crowd_of_unknown_keys_turns_nobody_away(
    known: Credentials, key: RoleKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Suspects wait for one another, and the deadline is for the database alone."""
    monkeypatch.setattr(credentials_module, "_READ_SECONDS", 0.5)
    read_row = known._read_row

    def slowly(access: str) -> LoadedKey | None:
        time.sleep(0.02)
        return read_row(access)

    monkeypatch.setattr(known, "_read_row", slowly)
    refused = 0

    async def guess() -> None:
        nonlocal refused
        with pytest.raises(InvalidCredential):
            await known.prove(RoleKey.generate().reveal(), NOW, is_suspect=lambda: True)
        refused += 1

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(guess)
        await anyio.sleep(0.05)
        assert await is_good(known, key)
        assert refused < 50, "it did not wait for the crowd"
    assert refused == 100


async def test_unknown_wrong_and_malformed_are_one_answer_for_the_same_work(
    known: Credentials, key: RoleKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known.prove(key.reveal(), NOW)
    work: list[int] = []
    compare = credentials_module._is_hash

    def counted(text: bytes, begun: hmac.HMAC, expected: bytes) -> bool:
        work.append(len(text))
        assert begun.digest_size == len(expected) == 32
        return compare(text, begun, expected)

    monkeypatch.setattr(credentials_module, "_is_hash", counted)
    wrong = [RoleKey.generate().reveal(), RoleKey.generate(key.access).reveal(), key.reveal()[:-1] + "_"]
    answers = []
    for text in wrong:
        with pytest.raises(InvalidCredential) as refused:
            await known.prove(text, NOW)
        answers.append(str(refused.value))
    assert len(set(answers)) == 1
    assert work == [len(key.reveal())] * 3
    assert await is_good(known, key)
    assert work == [len(key.reveal())] * 4, "and the right one costs no more"


@pytest.mark.parametrize(
    "text",
    ["", ":", "hmk_", "x" * 10_000, "hmk_0000000000000000", "hmk_0000000000000000:", "é:é", "a:b:c", "\x00"],
)
async def test_what_is_no_role_key_at_all(known: Credentials, text: str) -> None:
    with pytest.raises(InvalidCredential):
        await known.prove(text, NOW)


async def test_the_end_of_a_role_key_and_of_a_grace(database: Database, known: Credentials) -> None:
    with write(database) as tx:
        old = add_key(tx, expires_at=NOW + 100)
        new = renew(tx, old.access, grace=60)
    ends = [(await known.prove(key.reveal(), NOW)).ends_at for key in (old, new)]
    assert ends == [NOW + 60, NOW + 100]
    good = {
        now: [await is_good(known, key, NOW + now) for key in (old, new)] for now in (59.9, 60, 99.9, 100)
    }
    assert good == {59.9: [True, True], 60: [False, True], 99.9: [False, True], 100: [False, False]}


async def test_secrets_of_every_version_of_the_hash_key(
    database: Database, known: Credentials, key: RoleKey
) -> None:
    assert known.hash_key == HASH_KEY
    with write(database) as tx:
        second = signing_keys.add_hash_key(tx, b"2" * 32, KEK)
        assert second == HashKeyInForce(2, b"2" * 32)
    known.load_hash_keys()
    assert known.hash_key == second
    new = RoleKey.generate()
    with write(database) as tx:
        role = principals.get(tx.session, ROLE)
        role_keys.create(tx, role, new, known.hash_key, name="", scope=None, expires_at=None)
    assert await is_good(known, key)
    assert await is_good(known, new)


async def test_nothing_is_told_by_a_repr(known: Credentials, key: RoleKey) -> None:
    proven = await known.prove(key.reveal(), NOW)
    for secret in (key.secret, repr(key.hash(HASH_KEY.key)), repr(HASH_KEY.key)):
        assert secret not in repr(proven)


async def test_a_row_that_is_gone_behind_the_back(
    database: Database, known: Credentials, key: RoleKey
) -> None:
    """A role key without any secret opens nothing."""
    execute(database, "DELETE FROM secret")
    assert not await is_good(known, key)
    with closing(Database(database.url.render_as_string(hide_password=False))) as other:
        fresh = Credentials(other, KEK)
        fresh.load_hash_keys()
        assert not await is_good(fresh, key)
