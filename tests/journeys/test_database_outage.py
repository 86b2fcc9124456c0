"""PostgreSQL goes away while two processes are busy, and comes back. What must not stop, does not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from keys import RoleKey
from tests.journeys.client import SERVICES, Client, seconds_until, verdict
from tests.journeys.conftest import Measured
from tests.journeys.load import Load, statuses
from tests.postgresql import PostgresBinaries, PostgresServer
from tests.running_issuer import RunningIssuer, start_issuer
from verifier import Verifier

BLIND = 1.0
"""Seconds without a look at the database until nothing is issued any more."""
DOWN = 2.5
RECOVERY = 5.0
PUBLIC = ("/.well-known/jwks.json", "/status/1", "/.well-known/oauth-authorization-server", "/livez")
ISSUED = ("exchange", 200)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One of its own: nobody else's issuer is to fall."""
    binaries = PostgresBinaries.find()
    if binaries is None:
        pytest.skip("no PostgreSQL: install the dev requirements, or Debian's package postgresql")
    with PostgresServer(binaries) as running:
        yield running


@pytest.fixture
def processes(server: PostgresServer, tmp_path: Path) -> Iterator[tuple[RunningIssuer, RunningIssuer]]:
    settings = {"HOURMARKD_DATABASE_URL": server.create_database(), "HOURMARKD_FAILURES_PER_MINUTE": "100000"}
    with start_issuer(tmp_path, **settings) as first, first.another() as second:
        yield first, second


def everything(client: Client, key: RoleKey, busy_role: str) -> dict[str, Callable[[], httpx.Response]]:
    """What everybody does at one process, all at once."""
    asks: dict[str, Callable[[], httpx.Response]] = {
        "exchange": lambda: client.exchange(key),
        "exchange unknown key": lambda: client.exchange(RoleKey.generate()),
        "make a key": lambda: client.ask("POST", f"/v1/roles/{busy_role}/keys", json={}),
        "/readyz": lambda: client.ask("GET", "/readyz"),
    }
    return asks | {path: partial(client.ask, "GET", path) for path in PUBLIC}


def test_nothing_is_issued_blindly_and_all_comes_back(
    server: PostgresServer, processes: tuple[RunningIssuer, RunningIssuer], measured: Measured
) -> None:
    healthy = {what: {200} for what in ("exchange", "/readyz", *PUBLIC)}
    healthy |= {"exchange unknown key": {401}, "make a key": {201}}
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(process)) for process in processes]
        busy_role, role = clients[0].new_role(), clients[0].new_role()
        key = clients[0].new_key(role)
        token = clients[0].token(key)
        verifier = stack.enter_context(Verifier(processes[0].url, SERVICES))
        first, second = (everything(client, key, busy_role) for client in clients)
        with Load({what: [first[what], second[what]] for what in healthy}) as load:
            began = time.monotonic()
            time.sleep(1)
            stopping = time.monotonic()
            server.stop()
            stopped = time.monotonic()
            time.sleep(DOWN)
            assert verdict(verifier, token) == "good"
            starting = time.monotonic()
            server.start()
            recovery = seconds_until(
                lambda: all(
                    client.exchange(key).status_code == client.ask("GET", "/readyz").status_code == 200
                    for client in clients
                )
            )
            recovered = time.monotonic()
            time.sleep(1)

    assert statuses(load.between(began, stopping)) == healthy
    # Nobody knows any more what is revoked: no token, and whoever asks is told when to ask again.
    blind = statuses(load.between(stopped + BLIND, starting))
    assert blind == {what: {200} if what in PUBLIC else {503} for what in healthy}
    # No restart was needed, and it is not only by turns that it works.
    assert statuses(load.between(recovered, math.inf)) == healthy
    measured("PostgreSQL answers again, until both processes issue again", recovery)
    assert recovery < RECOVERY
    # On the way there and back it is one or the other, and never an error of ours.
    for answer in load.answers:
        assert answer.status in healthy[answer.what] or (
            answer.status == 503 and answer.what not in PUBLIC
        ), answer
        assert (answer.status == 503) == (answer.retry_after is not None), answer
    for process in processes:
        assert "Traceback" not in process.log.read_text()
    tokens = [answer for answer in load.between(stopping, starting) if (answer.what, answer.status) == ISSUED]
    measured("the last token after PostgreSQL had gone", max(each.answered_at for each in tokens) - stopped)


def test_what_was_acknowledged_around_the_outage_is_there_afterwards(
    server: PostgresServer, processes: tuple[RunningIssuer, RunningIssuer], measured: Measured
) -> None:
    with Client(processes[0]) as here, Client(processes[1]) as there:
        role = here.new_role()
        kept: list[RoleKey] = []
        deleted: list[RoleKey] = []

        def make_and_delete() -> httpx.Response:
            answer = here.ask("POST", f"/v1/roles/{role}/keys", json={})
            if answer.status_code == httpx.codes.CREATED:
                made = answer.json()
                kept.append(RoleKey.parse(f"{made['access']}:{made['secret']}"))
            if len(kept) % 2 == 0 and kept:
                path = f"/v1/roles/{role}/keys/{kept[-1].access}"
                if (answer := here.ask("DELETE", path)).status_code == httpx.codes.OK:
                    deleted.append(kept.pop())
            return answer

        with Load({"management": [make_and_delete]}) as load:
            time.sleep(0.5)
            server.stop()
            server.start()
            time.sleep(1)
        assert set(statuses(load.answers)["management"]) <= {200, 201, 503}
        assert kept
        assert deleted
        took = seconds_until(lambda: all(there.refuses(key) for key in deleted[-5:]))
        measured("deleted around the outage, refused at the other process", took)
        for key in kept:
            assert here.exchange(key).status_code == there.exchange(key).status_code == httpx.codes.OK
        for key in deleted[-20:]:
            assert here.refuses(key)
            assert there.refuses(key)
