"""A forked child has a verifier without a thread: it gets one of its own, and the parent's goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, LIST, SOON, IssuerDouble, eventually, verdict
from verifier import Trust, refresh
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
    command = [sys.executable, "-c", PREAMBLE + program, issuer.url, forge.AUDIENCE, issuer.token(), str(cache)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        yield process.stdout
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def _two_lines(output: IO[str]) -> set[str]:
    return {output.readline().strip(), output.readline().strip()}


@pytest.mark.parametrize(
    "create",
    [
        "verifier = Verifier(url, audience)",
        "verifier = Verifier(url, audience, wait=0)",
        "verifier = Verifier(url, audience, cache_path=cache)",
    ],
    ids=["loaded", "in the midst of loading", "with a cache"],
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


def test_a_closed_verifier_stays_closed_in_a_child(tmp_path: Path) -> None:
    program = """
with Verifier(url, audience) as verifier:
    pass
child = os.fork()
if child:
    os.waitpid(child, 0)
else:
    tell_when(f"{threading.active_count()} thread", "good")
"""
    with IssuerDouble() as issuer, _process(program, issuer, tmp_path / "cache") as output:
        assert output.readline().strip() == "1 thread good"


def test_a_child_starts_with_what_the_parent_knew() -> None:
    """What the hooks do, without a fork."""
    with IssuerDouble(long_poll=True) as issuer:
        trust = Trust(issuer.url)
        refresher = Refresher(trust)
        refresher.start(wait=SOON)
        parents = refresher.session
        refresh._before_fork()
        refresh._after_fork()
        assert refresher.session is not parents
        issuer.await_requests(JWKS, 2)
        refresher.close()
        assert parents.thread.is_alive()
        parents.stop()
        assert refresh._inherited.pop() is parents
