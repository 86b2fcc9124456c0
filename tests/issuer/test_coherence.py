from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import anyio
import pytest

from issuer import coherence as coherence_module
from issuer.coherence import Coherence
from issuer.store.changes import Changed
from issuer.store.database import Database, StoreUnavailable
from issuer.store.feeds import open_feed
from tests.issuer.store import databases
from tests.issuer.store.databases import ROLE, write

database = databases.database
pytestmark = pytest.mark.anyio


@dataclass
class FakeFeed:
    """What others changed, as the test says; `fails` is how often it cannot be read."""

    changes: list[Changed] = field(default_factory=list)
    fails: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[int] = field(default_factory=list)

    async def wait(self) -> None:
        await self.told.wait()
        self.told.clear()

    async def read(self, after: int) -> list[Changed]:
        self.asked.append(after)
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("no database")
        return [change for change in self.changes if change.number > after]

    async def close(self) -> None:
        pass


@dataclass
class Process:
    """A process that follows, with a clock of its own."""

    feed: FakeFeed
    monkeypatch: pytest.MonkeyPatch
    outage_allowance: float = 0
    now: float = 1000.0
    log: list[str] = field(default_factory=list)
    fail_refresh: list[Exception] = field(default_factory=list)

    def start(self, last: int = 0) -> Coherence:
        self.monkeypatch.setattr("issuer.coherence.time", SimpleNamespace(monotonic=lambda: self.now))
        return Coherence(
            self.feed,
            last,
            forget=lambda principal: self.log.append(f"forget {principal}"),
            refresh={kind: self._refresh(kind) for kind in ("status_list", "signing_key")},
            outage_allowance=self.outage_allowance,
        )

    def _refresh(self, kind: str) -> Callable[[], Awaitable[None]]:
        async def refresh() -> None:
            await asyncio.sleep(0)
            if self.fail_refresh:
                raise self.fail_refresh.pop()
            self.log.append(f"refresh {kind}")

        return refresh


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    return Process(FakeFeed(), monkeypatch)


def is_blind(coherence: Coherence) -> bool:
    try:
        coherence.check()
    except StoreUnavailable:
        return True
    return False


async def test_each_change_is_taken_over_once(process: Process) -> None:
    process.feed.changes = [
        Changed(8, "principal", ROLE),
        Changed(9, "status_list", "1"),
        Changed(10, "signing_key", "kid"),
        Changed(11, "status_list", "1"),
    ]
    coherence = process.start(last=7)
    await coherence.catch_up()
    assert process.log == [f"forget {ROLE}", "refresh signing_key", "refresh status_list"], "the keys first"
    await coherence.catch_up()
    assert len(process.log) == 3
    assert process.feed.asked == [7, 11]


async def test_when_changes_were_missed_everything_is_looked_at_again(process: Process) -> None:
    process.feed.changes = [Changed(500, None, "")]
    coherence = process.start()
    await coherence.catch_up()
    assert process.log == ["forget None", "refresh signing_key", "refresh status_list"]


async def test_what_it_does_not_know_drops_all_that_it_does(process: Process) -> None:
    """While a newer version of the service runs beside this one, it may tell of things that are new."""
    process.feed.changes = [Changed(1, "consent", "7"), Changed(2, "principal", ROLE)]
    coherence = process.start()
    await coherence.catch_up()
    assert process.log == ["forget None", f"forget {ROLE}"]


@pytest.mark.parametrize(("allowance", "seconds"), [(0, 1.0), (600, 601.0)])
async def test_nothing_is_issued_after_too_long_a_blindness(
    process: Process, allowance: float, seconds: float
) -> None:
    process.outage_allowance = allowance
    coherence = process.start()
    await coherence.catch_up()
    process.now += seconds
    assert not is_blind(coherence)
    process.now += 0.001
    assert is_blind(coherence)
    process.feed.fails = 1
    with pytest.raises(StoreUnavailable):
        await coherence.catch_up()
    assert is_blind(coherence)
    await coherence.catch_up()
    assert not is_blind(coherence)


async def test_a_change_that_is_known_and_not_read_yet_ends_issuing_at_once(process: Process) -> None:
    process.outage_allowance = 3600
    coherence = process.start()
    coherence.distrust()
    assert is_blind(coherence), "whatever is allowed during outages"
    await coherence.catch_up()
    assert not is_blind(coherence)


async def test_a_look_counts_from_when_it_began(process: Process) -> None:
    """What was committed while a slow look was under way may not be in it."""
    coherence, read = process.start(), process.feed.read

    async def slow_read(after: int) -> list[Changed]:
        process.now += 0.9
        return await read(after)

    process.monkeypatch.setattr(process.feed, "read", slow_read)
    await coherence.catch_up()
    process.now += 0.2
    assert is_blind(coherence)


async def test_a_document_is_read_again_until_it_succeeds(process: Process) -> None:
    process.feed.changes = [Changed(1, "status_list", "1"), Changed(2, "principal", ROLE)]
    process.fail_refresh = [StoreUnavailable("no"), StoreUnavailable("no")]
    coherence = process.start()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await coherence.catch_up()
        assert process.log == [f"forget {ROLE}"], "forgetting cannot fail"
    await coherence.catch_up()
    assert process.log == [f"forget {ROLE}", "refresh status_list"]
    assert process.feed.asked == [0, 2, 2]


async def test_two_who_catch_up_at_once_take_turns(process: Process) -> None:
    process.feed.changes = [Changed(1, "principal", ROLE), Changed(2, "status_list", "1")]
    coherence = process.start()
    await asyncio.gather(*(coherence.catch_up() for _ in range(5)))
    assert process.log == [f"forget {ROLE}", "refresh status_list"]


async def test_following_survives_whatever_fails(process: Process) -> None:
    """Who stops following is blind for ever, and does not say so."""
    process.feed.fails = 2
    process.fail_refresh = [RuntimeError("a key that does not open"), StoreUnavailable("no")]
    process.feed.changes = [Changed(1, "status_list", "1")]
    coherence = process.start()
    following = asyncio.create_task(coherence.follow())
    with anyio.fail_after(10):
        while not process.log:
            process.feed.told.set()
            await asyncio.sleep(0.001)
    assert process.log == ["refresh status_list"]
    assert not following.done()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


async def test_a_real_change_is_noticed_within_a_second(database: Database) -> None:
    noticed = asyncio.Event()
    feed = open_feed(database)

    async def refresh() -> None: ...

    coherence = Coherence(
        feed,
        0,
        forget=lambda _: noticed.set(),
        refresh={"status_list": refresh},
        outage_allowance=0,
    )
    following = asyncio.create_task(coherence.follow())
    try:
        await asyncio.sleep(0.05)
        await anyio.to_thread.run_sync(_change, database)
        with anyio.fail_after(coherence_module.MAX_BLIND_SECONDS):
            await noticed.wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await feed.close()


def _change(database: Database) -> None:
    with write(database) as tx:
        tx.changed("principal", ROLE)
