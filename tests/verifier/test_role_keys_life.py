"""The thread that asks about role keys: one request for all who wait, its end, and processes that fork."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from keys import RoleKey
from tests.verifier.accepting import AWAY, accepting, asked, code, new_key
from tests.verifier.issuer_double import (
    SOON,
    TOKEN,
    IssuerDouble,
    Request,
    as_issuer,
    hurry,
)
from verifier import exchange, role_keys
from verifier.role_keys import RoleKeys


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def issuer() -> Iterator[IssuerDouble]:
    with IssuerDouble(long_poll=True) as double:
        yield double


@pytest.fixture
def keys(issuer: IssuerDouble) -> Iterator[RoleKeys]:
    with accepting(issuer) as opened:
        yield opened


@pytest.mark.parametrize("how", ["in threads", "in an event loop"])
def test_however_many_ask_it_is_one_request(issuer: IssuerDouble, keys: RoleKeys, how: str) -> None:
    key, go_on = new_key(issuer), threading.Event()

    def wait(request: Request) -> None:
        assert go_on.wait(SOON)
        as_issuer(request)

    issuer.answers[TOKEN] = wait

    async def all_at_once() -> set[str]:
        waiting = [asyncio.ensure_future(keys.token_async(key)) for _ in range(20)]
        gives_up = asyncio.ensure_future(keys.token_async(key))
        await asyncio.sleep(0)
        gives_up.cancel()
        go_on.set()
        return {token.subject for token in await asyncio.gather(*waiting)}

    if how == "in an event loop":
        assert asyncio.run(all_at_once()) == {"role:org.account.ci"}
    else:
        with ThreadPoolExecutor(20) as threads:
            waiting = [threads.submit(keys.token, key) for _ in range(20)]
            issuer.await_requests(TOKEN, 1)
            go_on.set()
            assert {each.result(SOON).subject for each in waiting} == {"role:org.account.ci"}
    assert asked(issuer) == 1


def test_a_slow_issuer_has_a_deadline(
    issuer: IssuerDouble, keys: RoleKeys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exchange, "DEADLINE", 0.05)
    issuer.answers[TOKEN] = Request.hang
    assert code(keys, new_key(issuer)) == AWAY
    assert "a role key was not exchanged: TimeoutError" in caplog.text, "that of the whole, not of one read"


def test_who_waits_too_long_goes_on(
    issuer: IssuerDouble, keys: RoleKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the thread that asks have died."""
    monkeypatch.setattr(role_keys, "_PATIENCE", 0.05)
    issuer.answers[TOKEN] = Request.hang
    assert code(keys, new_key(issuer)) == AWAY


def test_closed_it_knows_what_it_knew(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key = new_key(issuer)
    keys.token(key)
    keys.close()
    assert (code(keys, key), code(keys, new_key(issuer))) == ("good", AWAY)
    assert keys._exchange.ask(RoleKey.generate()).done(), "nobody waits for a thread that has ended"
    assert asked(issuer) == 1


def test_whoever_asks_while_it_is_closed_is_told(issuer: IssuerDouble, keys: RoleKeys) -> None:
    keys.token(new_key(issuer))  # from here on its loop runs
    asks = keys._exchange
    answers: list[Future[exchange.Outcome]] = []

    def ask_and_stop() -> None:
        answers.append(asks.ask(RoleKey.generate()))
        asks.background._stop.set()

    asks.background.tell(ask_and_stop)
    asks.background.thread.join(SOON)
    assert [answer.result(SOON) for answer in answers] == [exchange.UNREACHABLE]
    assert asked(issuer) == 1


def test_dropped_its_thread_ends(issuer: IssuerDouble) -> None:
    with issuer.verifier() as verifier:
        keys = RoleKeys(verifier)
        thread = keys._exchange.background.thread
        keys.token(new_key(issuer))
        del keys
        gc.collect()
        assert not thread.is_alive()


def test_a_child_asks_by_a_thread_of_its_own(issuer: IssuerDouble, keys: RoleKeys) -> None:
    """Without a fork: both threads run in this process."""
    known, under_way = new_key(issuer), new_key(issuer)
    keys.token(known)
    issuer.answers[TOKEN] = Request.hang
    keys._exchange.ask(RoleKey.parse(under_way))
    issuer.await_requests(TOKEN, 2)
    parents = keys._exchange.background
    keys._exchange.start_in_child()
    del issuer.answers[TOKEN]
    assert (code(keys, known), asked(issuer)) == ("good", 2)
    assert code(keys, under_way) == "good", "it does not wait for what the parent asked"
    parents.stop()
