"""A forked child has a verifier without a thread: it gets one of its own, and the parent's goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest

from keys import RoleKey
from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, LIST, SOON, TOKEN, IssuerDouble, hurry
from verifier import Trust, background
from verifier.refresh import Refresher

PROJECT = Path(__file__).resolve().parents[2]
PREAMBLE = """
import os, sys, threading, time
from verifier import TokenError, Verifier

url, audience, token, cache = sys.argv[1:]

def verdict():
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "good"

def tell_when(who, expected):
    for _ in range(2000):
        if verdict() == expected:
            os.write(1, f"{who} {expected}\\n".encode())
            return
        time.sleep(0.005)
    os.write(1, f"{who} still {verdict()}\\n".encode())

def live(who):
    tell_when(who, "good")
    tell_when(who, "revoked")
"""
TWO_LIVES = """
child = os.fork()
if child == 0:
    live("child")
    sys.exit()
live("parent")
os.waitpid(child, 0)
"""


@contextmanager
def _process(program: str, issuer: IssuerDouble, cache: Path) -> Iterator[IO[str]]:
    """The standard output of `program`, which must end well and without a word on standard error."""
    # From Python 3.12 on every fork of a process with threads is warned of; here it is what is tested.
    options = ["-W", "ignore:This process:DeprecationWarning", "-c", PREAMBLE + program]
    command = [sys.executable, *options, issuer.url, forge.AUDIENCE, issuer.token(), str(cache)]
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        ) as process,
    ):
        assert process.stdout
        try:
            yield process.stdout
            assert process.wait(60) == 0
        finally:
            # The child too, should one of them hang; all that are well have ended.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        errors.seek(0)
        assert errors.read() == ""


def _two_lines(output: IO[str]) -> set[str]:
    return {output.readline().strip(), output.readline().strip()}


@pytest.mark.parametrize(
    "create",
    [
        "verifier = Verifier(url, audience, wait=0)",
        "verifier = Verifier(url, audience, cache_path=cache)",
    ],
    ids=["in the midst of loading", "after loading"],
)
def test_parent_and_child_both_learn_what_changes_after_the_fork(create: str, tmp_path: Path) -> None:
    with (
        IssuerDouble(long_poll=True) as issuer,
        _process(create + TWO_LIVES, issuer, tmp_path / "cache") as output,
    ):
        assert _two_lines(output) == {"parent good", "child good"}
        issuer.publish(forge.INDEX)
        assert _two_lines(output) == {"parent revoked", "child revoked"}


CLOSES = """
verifier = Verifier(url, audience)
child = os.fork()
if child == 0 and {closes_in_child} or child and not {closes_in_child}:
    verifier.close()
    tell_when("closed", "good")
else:
    live("open")
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.parametrize("closes_in_child", [True, False])
def test_closing_in_one_process_leaves_the_other_alone(closes_in_child: bool, tmp_path: Path) -> None:
    program = CLOSES.format(closes_in_child=closes_in_child)
    with IssuerDouble(long_poll=True) as issuer, _process(program, issuer, tmp_path / "cache") as output:
        assert _two_lines(output) == {"closed good", "open good"}
        issuer.publish(forge.INDEX)
        assert output.readline().strip() == "open revoked"


ROLE_KEYS = """
from verifier.role_keys import RoleKeys
verifier = Verifier(url, audience)
keys = RoleKeys(verifier)
keys.token({known!r})
who = "parent" if (child := os.fork()) else "child"
for key in ({known!r}, {new!r}):
    os.write(1, f"{{who}} {{keys.token(key).token_id}}\\n".encode())
if child:
    os.waitpid(child, 0)
"""


def test_role_keys_are_exchanged_in_both(tmp_path: Path) -> None:
    known, new = (RoleKey.generate().reveal() for _ in range(2))
    with IssuerDouble(long_poll=True) as issuer:
        issuer.role_keys |= {known: {"jti": "known"}, new: {"jti": "new"}}
        with _process(ROLE_KEYS.format(known=known, new=new), issuer, tmp_path / "cache") as output:
            told = {output.readline().strip() for _ in range(4)}
        assert told == {"parent known", "parent new", "child known", "child new"}
        assert len(issuer.times(TOKEN)) == 3, "what was known before the fork is known after it"


def test_the_hooks_halt_the_thread_and_start_another_in_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a fork: both threads run in this process."""
    hurry(monkeypatch)
    with IssuerDouble(long_poll=True) as issuer:
        refresher = Refresher(Trust(issuer.url))
        refresher.start(wait=SOON)
        parents = refresher.background
        issuer.await_requests(LIST, 2)
        background._before_fork()
        issuer.publish()
        time.sleep(0.1)
        assert len(issuer.times(LIST)) == 2, "the thread works while the process forks"
        background._after_fork_in_parent()
        issuer.await_requests(LIST, 3)
        background._after_fork_in_child()
        issuer.await_requests(JWKS, 2)
        refresher.close()
        assert parents.thread.is_alive()
        parents.stop()
        assert background.inherited.pop() is parents


def test_a_fork_waits_for_what_the_thread_is_at() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        refresher = Refresher(Trust(issuer.url))
        refresher.start(wait=SOON)
        assert refresher.background.awake.acquire(timeout=SOON)
        threading.Timer(0.05, refresher.background.awake.release).start()
        background._before_fork()
        assert background._fork.halted == [refresher.background]
        background._after_fork_in_parent()
        refresher.close()


def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FORK_PATIENCE", 0.05)
    with IssuerDouble(long_poll=True) as issuer:
        refresher = Refresher(Trust(issuer.url))
        refresher.start(wait=SOON)
        with refresher.background.awake:
            background._before_fork()
            background._after_fork_in_parent()
            assert refresher.background.awake.locked()
        refresher.close()
