from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Barrier

import pytest

from issuer.rotation import JWKS_MAX_AGE
from issuer.settings import Settings
from issuer.signing import NoSigningKey, SigningKeys
from issuer.store import signing_keys
from issuer.store.database import Database
from keys import Phase, SigningKey, base64url
from tests.issuer.store import databases
from tests.issuer.store.databases import KEK, NOW, count, execute, write

database = databases.database
DAY = 86400
SETTINGS = Settings(signing_key_lifetime=30 * DAY)


@pytest.fixture
def several(database: Database) -> Iterator[list[SigningKeys]]:
    """As many processes, each with its own connections, after the first key was made."""
    with write(database) as tx:
        signing_keys.add(tx, SigningKey.generate("ES256"), KEK, signs_from=NOW)
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(Database(url))) for _ in range(3)]
        processes = [SigningKeys(each, KEK, SETTINGS) for each in opened]
        for process in processes:
            process.load(NOW)
        yield processes


def kids(process: SigningKeys) -> list[str]:
    return [jwk["kid"] for jwk in json.loads(process.published.document)["keys"]]


def phases(process: SigningKeys, now: int) -> list[Phase]:
    return [each.phase for each in process.standings(now)]


def test_without_a_key_nothing_is_signed(database: Database) -> None:
    process = SigningKeys(database, KEK, SETTINGS)
    process.load(NOW)
    with pytest.raises(NoSigningKey):
        _ = process.current
    assert kids(process) == []
    assert process.successor_is_due(NOW)
    process.make_successor(NOW)
    assert phases(process, NOW) == [Phase.CURRENT, Phase.NEXT], "the very first key signs at once"


def test_every_process_publishes_the_same_bytes(several: list[SigningKeys]) -> None:
    for process in several:
        process.make_successor(NOW)
        for other in several:
            other.load(NOW)
        assert len({other.published.document for other in several}) == 1
        assert len({other.published.etag for other in several}) == 1
    assert len(kids(several[0])) == 2


def test_no_private_part_is_published(several: list[SigningKeys]) -> None:
    for jwk in json.loads(several[0].published.document)["keys"]:
        assert set(jwk) <= {"kty", "crv", "x", "y", "kid", "alg", "use", "key_ops"}


def test_all_rotate_at_once_and_one_key_is_made(database: Database, several: list[SigningKeys]) -> None:
    for turn in range(3):
        now = NOW + turn * 31 * DAY
        for process in several:
            process.load(now)
        barrier = Barrier(len(several))

        def rotate(process: SigningKeys, now: int = now, barrier: Barrier = barrier) -> None:
            barrier.wait()
            process.make_successor(now)

        with ThreadPoolExecutor(len(several)) as threads:
            list(threads.map(rotate, several))
        assert count(database, "signing_key") == turn + 2
        assert len({process.published.document for process in several}) == 1


def test_a_key_signs_only_when_it_was_public_longer_than_anyone_caches(several: list[SigningKeys]) -> None:
    """Also after a service was off for a year, when the successor is due at once."""
    process, now = several[0], NOW + 365 * DAY
    first = process.current.kid
    process.load(now)
    process.make_successor(now)
    second = kids(process)[1]
    process.tick(now + 2 * JWKS_MAX_AGE)
    assert (process.current.kid, kids(process)) == (first, [first, second])
    process.tick(now + DAY)
    assert process.current.kid == second


@pytest.mark.parametrize("status_exp", [60, 86_400])
def test_a_key_stays_public_until_all_that_it_signed_has_expired(
    database: Database, several: list[SigningKeys], status_exp: int
) -> None:
    del several
    process = SigningKeys(database, KEK, SETTINGS.model_copy(update={"status_exp": status_exp}))
    process.load(NOW)
    process.make_successor(NOW)
    first, second = kids(process)
    takes_over = NOW + SETTINGS.signing_key_lifetime
    process.tick(takes_over - 1)
    assert process.current.kid == first
    process.tick(takes_over)
    assert process.current.kid == second
    last_expiry = takes_over + max(3600, status_exp)
    process.tick(last_expiry + JWKS_MAX_AGE)
    assert kids(process) == [first, second]
    process.tick(last_expiry + DAY)
    assert kids(process) == [second]


def test_ticking_writes_nothing_and_keeps_the_document_as_it_is(
    database: Database, several: list[SigningKeys]
) -> None:
    process, before = several[0], count(database, "change")
    published = process.published
    for second in range(100):
        process.tick(NOW + second)
    assert process.published is published, "who looks for a change finds none"
    assert count(database, "change") == before


def test_of_two_keys_with_one_number_one_is_refused(database: Database, several: list[SigningKeys]) -> None:
    """What the lock prevents, the schema forbids."""
    del several
    statement = (
        "INSERT INTO signing_key (kid, number, algorithm, sealed, published_at, signs_from) "
        "SELECT 'other', number, algorithm, sealed, published_at, signs_from FROM signing_key"
    )
    with pytest.raises(Exception, match=r"(?i)unique"):
        execute(database, statement)


def test_signed_by_the_key_that_is_current(several: list[SigningKeys]) -> None:
    process = several[0]
    process.make_successor(NOW)
    assert phases(process, NOW) == [Phase.CURRENT, Phase.NEXT]
    assert phases(process, NOW + 30 * DAY) == [Phase.RETIRING, Phase.CURRENT]
    signed = process.current.sign(b"{}", "at+jwt")
    header = json.loads(base64url.decode(signed.partition(".")[0].encode()))
    assert header == {"alg": "ES256", "kid": kids(process)[0], "typ": "at+jwt"}
