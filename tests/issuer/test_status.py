from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from threading import Barrier

import anyio
import pytest

from issuer import status
from issuer.settings import Settings
from issuer.signing import SigningKeys
from issuer.status import OtherIssuer, PublishedList, StatusPublisher
from issuer.store import signing_keys, status_indices
from issuer.store.database import Database
from keys import SigningKey
from tests.issuer.store import databases
from tests.issuer.store.databases import (
    KEK,
    NOW,
    add_key,
    count,
    delete_key,
    execute,
    indices,
    make_role,
    revoked,
    version,
    write,
)
from verifier import Trust
from verifier.status_list import MAX_DOCUMENT_CHARACTERS, StatusList

database = databases.database
SETTINGS = Settings(issuer="https://issuer.example", status_exp=3600, status_ttl=15)
URI = "https://issuer.example/status/1"


def publisher(database: Database) -> StatusPublisher:
    signing = SigningKeys(database, KEK, SETTINGS)
    signing.load(NOW)
    return StatusPublisher(database, signing, SETTINGS)


@pytest.fixture
def first(database: Database) -> StatusPublisher:
    make_role(database)
    with write(database) as tx:
        signing_keys.add(tx, SigningKey.generate("ES256"), KEK, signs_from=NOW)
    return publisher(database)


@pytest.fixture
def several(database: Database, first: StatusPublisher) -> Iterator[list[StatusPublisher]]:
    """As many processes, each with its own connections to the same database."""
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        others = [stack.enter_context(closing(Database(url))) for _ in range(3)]
        yield [first, *(publisher(other) for other in others)]


def revoke_something(database: Database, now: int = NOW) -> int:
    with write(database, now) as tx:
        access = add_key(tx).access
    (index,) = indices(database, access)
    with write(database, now) as tx:
        delete_key(tx, access)
    return index


def trusting(publisher: StatusPublisher, published: PublishedList, now: int = NOW) -> Trust:
    jwks = publisher._signing.published.document
    return Trust.from_documents(
        issuer=SETTINGS.issuer_url, jwks=jwks, status_lists=[published.document], now=now
    )


def test_a_version_as_verifiers_read_it(database: Database, first: StatusPublisher) -> None:
    index = revoke_something(database)
    published = first.read(NOW + 7)
    assert (published.version, published.signed_at, published.etag) == (2, NOW + 7, '"2"')
    content = trusting(first, published, NOW + 7).lists[URI].content
    assert (content.version, content.issued_at, content.expires_at) == (2, NOW + 7, NOW + 7 + 3600)
    assert (content.ttl, content.uri, first.uri) == (15, URI, URI)
    assert [n for n in range(64) if content.status(n)] == [index]


def test_a_version_is_signed_once(database: Database, several: list[StatusPublisher]) -> None:
    made = several[0].read(NOW)
    told = count(database, "change")
    assert [publisher.read(NOW + 60) for publisher in several] == [made] * len(several)
    assert count(database, "change") == told
    index = revoke_something(database)
    newer = several[1].read(NOW + 61)
    assert newer.version == made.version + 1
    assert [publisher.read(NOW + 62) for publisher in several] == [newer] * len(several)
    assert trusting(several[0], newer, NOW + 61).lists[URI].content.status(index) == 1


def test_many_publish_at_once(database: Database, several: list[StatusPublisher]) -> None:
    """Each signs, for who is first cannot be known; one of the documents is kept and served by all."""
    for turn in range(3):
        revoke_something(database)
        told = count(database, "change")
        barrier = Barrier(2 * len(several))

        def read(publisher: StatusPublisher, number: int, barrier: Barrier = barrier) -> PublishedList:
            barrier.wait()
            return publisher.read(NOW + number)

        with ThreadPoolExecutor(2 * len(several)) as threads:
            made = set(threads.map(read, several * 2, range(2 * len(several))))
        assert len(made) == 1
        assert made.pop().version == turn + 2
        assert count(database, "change") == told + 1, "and all are told once"


def test_who_was_slow_to_sign_does_not_bring_an_old_version_back(
    database: Database, several: list[StatusPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = several[:2]
    revoke_something(database)
    sign = slow._sign
    newer: list[PublishedList] = []

    def sign_late(signer: SigningKey, number: int, invalid: list[int], now: int) -> str:
        document = sign(signer, number, invalid, now)
        revoke_something(database)
        newer.append(quick.read(now))
        return document

    monkeypatch.setattr(slow, "_sign", sign_late)
    assert slow.read(NOW) == newer[0]
    assert newer[0].version == version(database) == 3
    assert several[2].read(NOW) == newer[0]


def test_who_signs_a_version_that_is_not_the_newest_any_more(
    database: Database, several: list[StatusPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a true version still; the newest is signed by whoever is told of it."""
    slow, sign = several[0], several[0]._sign

    def sign_late(signer: SigningKey, number: int, invalid: list[int], now: int) -> str:
        revoke_something(database)
        return sign(signer, number, invalid, now)

    with monkeypatch.context() as patch:
        patch.setattr(slow, "_sign", sign_late)
        assert slow.read(NOW).version == 1
    assert slow.read(NOW).version == 2


def test_no_version_is_signed_by_a_key_that_another_process_has_just_revoked(
    database: Database, several: list[StatusPublisher]
) -> None:
    """Who has not heard of it yet signs with the old key, notices when storing, and signs again."""
    unaware, aware = several[:2]
    stolen = unaware._signing.current.kid
    revocation = aware._signing.revoke(stolen, NOW + 1, actor="ada")
    assert unaware._signing.current.kid == stolen
    published = unaware.read(NOW + 1)
    assert published.version == version(database) == 2
    assert trusting(aware, published, NOW + 1).lists[URI].kid == revocation.current


def test_another_issuers_database_is_refused_before_anything_is_signed_in_its_name(
    database: Database, first: StatusPublisher
) -> None:
    assert not first.check_issuer(), "nobody has signed yet"
    signed = first.read(NOW)
    assert first.check_issuer()
    revoke_something(database)
    other = Settings(issuer="https://other.example")
    with pytest.raises(OtherIssuer, match=r"set HOURMARKD_ISSUER=https://issuer\.example"):
        StatusPublisher(database, first._signing, other).check_issuer()
    with database.read() as session:
        assert status_indices.current_version(session).document == signed.document.decode()


def test_at_half_of_its_life_one_new_version_is_asked_for(
    database: Database, several: list[StatusPublisher]
) -> None:
    for each in several:
        each.adopt(each.read(NOW))
        assert [each.has_reached_half_life(NOW + seconds) for seconds in (0, 1799, 1800)] == [
            False,
            False,
            True,
        ]
    for each in several:
        each.raise_version(NOW + 1800, each.published.version)
    assert version(database) == 2
    made = several[0].read(NOW + 1800)
    assert {each.read(NOW + 1801).document for each in several} == {made.document}
    several[0].adopt(made)
    assert not several[0].has_reached_half_life(NOW + 1801)


def test_clearing_what_is_dead(database: Database, several: list[StatusPublisher]) -> None:
    index = revoke_something(database)
    later = NOW + 86_400
    for each in several:
        each.advance(NOW)
    assert (revoked(database), version(database)) == ({index}, 2)
    for each in several:
        each.advance(later)
    assert (revoked(database), version(database)) == (set(), 3), "by whoever comes first"


def test_the_largest_list(database: Database, first: StatusPublisher) -> None:
    """Every index in use and half of them set, at random, so that nothing is left to compress."""
    if not database.is_sqlite:
        return  # the document does not depend on where it is kept, and this takes a while
    series = (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1048575) SELECT i FROM n"
    )
    execute(
        database,
        f"INSERT INTO status_index (\"index\", owner, is_set) SELECT i, 'x', random() & 1 FROM ({series})",  # noqa: S608
    )
    with write(database) as tx:
        status_indices.raise_version(tx)
    published = first.read(NOW)
    assert len(published.document) < MAX_DOCUMENT_CHARACTERS // 2
    content = trusting(first, published).lists[URI].content
    expected = StatusList.of(URI, revoked(database), version=2, now=NOW, ttl=15, lifetime=3600)
    assert content.statuses == expected.statuses


def test_an_older_version_is_not_adopted(first: StatusPublisher) -> None:
    newer = PublishedList(5, b"newer", NOW)
    first.adopt(newer)
    for other in (PublishedList(4, b"older", NOW), replace(newer, document=b"another")):
        first.adopt(other)
        assert first.published is newer


@pytest.mark.anyio
async def test_who_waits_gets_the_next_version_the_moment_it_exists(first: StatusPublisher) -> None:
    first.adopt(PublishedList(1, b"", NOW))
    seen: list[int] = []

    async def wait() -> None:
        await first.wait_for_newer(1, 30)
        seen.append(first.published.version)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert first._waiting == 100
            first.adopt(PublishedList(1, b"not newer", NOW))
            await anyio.wait_all_tasks_blocked()
            assert seen == []
            first.adopt(PublishedList(2, b"", NOW))
    assert seen == [2] * 100
    assert first._waiting == 0


@pytest.mark.anyio
async def test_nobody_waits_for_what_is_there_or_for_ever(first: StatusPublisher) -> None:
    first.adopt(PublishedList(2, b"", NOW))
    with anyio.fail_after(10):
        await first.wait_for_newer(1, 30)
        await first.wait_for_newer(2, 0.01)
        await first.wait_for_newer(2, 0)
    assert first._waiting == 0


@pytest.mark.anyio
async def test_only_so_many_wait(first: StatusPublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "MAX_WAITING", 3)
    waiting = [asyncio.create_task(first.wait_for_newer(0, 30)) for _ in range(3)]
    await anyio.wait_all_tasks_blocked()
    with anyio.fail_after(10):
        await first.wait_for_newer(0, 30)
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    assert first._waiting == 2, "who hangs up makes room"
    waiting[0] = asyncio.create_task(first.wait_for_newer(0, 30))
    await anyio.wait_all_tasks_blocked()
    assert first._waiting == 3
    first.adopt(PublishedList(1, b"", NOW))
    with anyio.fail_after(10):
        await asyncio.gather(*waiting)
    assert first._waiting == 0
