"""`serve --workers 2`: one process dies, all are told to stop, or nobody watches over them any more."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.client import Client, seconds_until
from tests.journeys.conftest import Measured
from tests.journeys.workers import every_worker
from tests.running_issuer import RunningIssuer, start_issuer

GRACE = 5.0
"""Seconds for requests under way at the end; a long poll is let go at once."""
PROMPTLY = 3.0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[RunningIssuer]:
    """On SQLite: what becomes of processes does not depend on the database."""
    with start_issuer(tmp_path, 2) as running:
        yield running


def processes(host: RunningIssuer) -> list[int]:
    with every_worker(host) as workers:
        return [worker.process for worker in workers]


def runs(process: int) -> bool:
    """Whether it is there, and is more than an entry that nobody has read yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_others_serve_on_when_one_is_killed_and_another_takes_its_place(
    host: RunningIssuer, measured: Measured
) -> None:
    with Client(host) as client:
        role = client.new_role()
        key, deleted = client.new_key(role), client.new_key(role)
        client.delete_key(role, deleted)
    killed, survivor = processes(host)
    os.kill(killed, signal.SIGKILL)
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        # A new connection each time: none of them may lead to where nobody is.
        with Client(host) as client:
            assert client.exchange(key).status_code == httpx.codes.OK
            assert client.refuses(deleted)
    with every_worker(host) as workers:
        measured("one of two workers was killed, until there are two again", time.monotonic() - began)
        successor = {worker.process for worker in workers} - {survivor}
        assert successor
        assert successor != {killed}
        for worker in workers:
            assert worker.exchange(key).status_code == httpx.codes.OK
            assert worker.refuses(deleted)


def test_all_end_within_the_grace_whoever_waits(host: RunningIssuer, measured: Measured) -> None:
    workers = processes(host)
    waiting, answers = threading.Barrier(3), []

    def wait_for_news() -> None:
        with host.http("") as client:
            etag = client.get("/status/1").headers["ETag"]
            waiting.wait()
            answers.append(client.get("/status/1", headers={"If-None-Match": etag, "Prefer": "wait=30"}))

    verifiers = [threading.Thread(target=wait_for_news) for _ in range(2)]
    for verifier in verifiers:
        verifier.start()
    waiting.wait()
    time.sleep(0.2)
    began = time.monotonic()
    host.stop()
    took = time.monotonic() - began
    for verifier in verifiers:
        verifier.join()
    measured("SIGTERM, until two workers have ended", took)
    assert took < GRACE
    assert host.process.returncode == 0
    assert not any(runs(process) for process in workers)
    assert [answer.status_code for answer in answers] == [304, 304]


def test_they_end_when_nobody_watches_over_them(host: RunningIssuer, measured: Measured) -> None:
    """Else the port stays taken, and what is started in their place cannot begin."""
    with Client(host) as client:
        key = client.new_key(client.new_role())
    workers = processes(host)
    host.process.kill()
    host.process.wait()
    try:
        took = seconds_until(lambda: not any(runs(process) for process in workers))
    finally:
        for process in filter(runs, workers):
            os.kill(process, signal.SIGKILL)
    measured("the supervisor was killed, until its workers have ended", took)
    assert took < GRACE + PROMPTLY
    with host.restart() as back, Client(back) as client:
        assert client.exchange(key).status_code == httpx.codes.OK
