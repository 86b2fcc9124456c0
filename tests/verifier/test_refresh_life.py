"""From start to close: the thread ends when it should, whatever it was doing, and nothing outlives it."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, LIST, SOON, IssuerDouble, Request, eventually, hurry, verdict
from verifier import Trust, background
from verifier.refresh import Refresher

PROJECT = Path(__file__).resolve().parents[2]
PROMPTLY = 4.0
"""Less than any time limit that something could have run into, and enough for a busy machine."""


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("hourmark-verifier")]


@pytest.fixture(autouse=True)
def _nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    hurry(monkeypatch)
    assert _threads() == []
    yield
    assert _threads() == []
    assert background.alive == set()


@pytest.mark.parametrize("path", [JWKS, LIST])
def test_close_drops_a_request_under_way(path: str) -> None:
    with IssuerDouble() as issuer:
        issuer.answers[path] = Request.hang
        verifier = issuer.verifier(wait=0)
        issuer.await_requests(path, 1)
        before = time.monotonic()
        verifier.close()
        assert time.monotonic() - before < PROMPTLY
        assert _threads() == []


def test_close_ends_a_long_poll_and_what_is_known_stays() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        with issuer.verifier() as verifier:
            issuer.await_requests(LIST, 2)
            before = time.monotonic()
        assert time.monotonic() - before < PROMPTLY
        assert _threads() == []
        assert verdict(verifier, issuer.token()) == "good"
        assert verdict(verifier, issuer.token(forge.key(owner="next"))) == "unknown_key"
        verifier.close()
        assert len(issuer.times(JWKS)) == 1


def test_closes_from_many_threads_at_once() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        verifier = issuer.verifier()
        closers = [threading.Thread(target=verifier.close) for _ in range(8)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()
        assert _threads() == []


def test_close_lets_a_start_go_on_that_still_waits() -> None:
    with IssuerDouble() as issuer:
        issuer.answers[JWKS] = Request.hang
        refresher = Refresher(Trust(issuer.url))
        starter = threading.Thread(target=refresher.start, args=(SOON,))
        starter.start()
        issuer.await_requests(JWKS, 1)
        before = time.monotonic()
        refresher.close()
        starter.join()
        assert time.monotonic() - before < PROMPTLY


def test_close_before_the_start_leaves_nothing_running() -> None:
    with IssuerDouble() as issuer:
        refresher = Refresher(Trust(issuer.url))
        refresher.request_keys()
        refresher.close()
        refresher.start(wait=SOON)
        assert _threads() == []
        assert issuer.seen == []


def test_a_dropped_verifier_ends_its_thread() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        verifier = issuer.verifier()
        assert len(_threads()) == 1
        del verifier
        gc.collect()
        assert _threads() == []


def test_a_verifier_may_be_found_by_the_garbage_collector_in_its_own_thread() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        refresher = Refresher(Trust(issuer.url))
        refresher.start(wait=SOON)
        refresher.background.tell(refresher.close)
        eventually(lambda: _threads() == [])


def test_close_leaves_a_name_lookup_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends when the resolver likes, and then nobody minds."""
    asked, answered = threading.Event(), threading.Event()

    def resolve(*_: object) -> list[object]:
        asked.set()
        assert answered.wait(SOON)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    refresher = Refresher(Trust("https://issuer.example"))
    refresher.start(wait=0)
    assert asked.wait(SOON)
    before = time.monotonic()
    refresher.close()
    assert time.monotonic() - before < PROMPTLY
    (resolver,) = _threads()
    answered.set()
    resolver.join()


PREAMBLE = """
import socket, sys, time
from verifier import Verifier
url, audience, token = sys.argv[1:]
"""


def _run(program: str, issuer: IssuerDouble) -> tuple[int, str, float]:
    """Exit code, words on standard error, and the seconds between the program's last line and its end.

    Whatever it does not tidy up is an error.
    """
    program = f"{PREAMBLE}{program}\nprint(time.monotonic(), flush=True)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, issuer.url, forge.AUDIENCE, issuer.token()],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr, time.monotonic() - float(done.stdout or "nan")


@pytest.mark.parametrize(
    "program",
    [
        "verifier = Verifier(url, audience); verifier.verify(token)",
        "verifier = Verifier(url, audience, wait=0)",
        """
socket.getaddrinfo = lambda *_: time.sleep(600)
verifier = Verifier("https://issuer.example", audience, wait=0.5)
""",
    ],
    ids=["in a long poll", "while loading", "in a name lookup"],
)
def test_the_process_ends_without_delay_and_without_a_word(program: str) -> None:
    with IssuerDouble(long_poll=True) as issuer:
        code, words, seconds = _run(program, issuer)
    assert (code, words) == (0, "")
    assert seconds < PROMPTLY
