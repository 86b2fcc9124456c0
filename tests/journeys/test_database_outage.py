"""PostgreSQL goes away while two processes are busy, and comes back. What must not stop, does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
    with (
        start_issuer(tmp_path, HOURMARKD_DATABASE_URL=server.create_database()) as first,
        first.another() as second,
    ):
        yield first, second


def sides(client: Client, name: str, key: RoleKey, role: str) -> dict[str, Callable[[], httpx.Response]]:
    """What everybody does at one process, all at once."""
    made: dict[str, Callable[[], httpx.Response]] = {
        f"{name} exchange": lambda: client.exchange(key),
        f"{name} readyz": lambda: client.ask("GET", "/readyz"),
        # A new role key, by a credential that is known, and every time one that no process knows.
        f"{name} write": lambda: client.ask("POST", f"/v1/roles/{role}/keys", json={}),
        f"{name} unknown": lambda: client.exchange(RoleKey.generate()),
    }
    return made | {f"{name} {path}": lambda path=path: client.ask("GET", path) for path in PUBLIC}  # type: ignore[misc]


def test_nothing_is_issued_blindly_and_all_comes_back(
    server: PostgresServer, processes: tuple[RunningIssuer, RunningIssuer], measured: Measured
) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(process)) for process in processes]
        role = clients[0].new_role()
        key = clients[0].new_key(role)
        token = clients[0].token(key)
        verifier = stack.enter_context(Verifier(processes[0].url, SERVICES))
        asks = sides(clients[0], "first", key, role) | sides(clients[1], "second", key, role)
        with Load(asks) as load:
            began = time.monotonic()
            time.sleep(1)
            stopping = time.monotonic()
            server.stop()
            stopped = time.monotonic()
            time.sleep(DOWN)
            assert verdict(verifier, token) == "good"
            starting = time.monotonic()
            server.start()
            recovery = seconds_until(lambda: all(c.exchange(key).status_code == 200 for c in clients))
            recovery += seconds_until(
                lambda: all(c.ask("GET", "/readyz").status_code == 200 for c in clients)
            )
            recovered = time.monotonic()
            time.sleep(1)
            ended = time.monotonic()

    measured("PostgreSQL answers again, until all is issued again", recovery)
    assert recovery < RECOVERY
    good = {"exchange": 200, "readyz": 200, "write": 201, "unknown": 401} | dict.fromkeys(PUBLIC, 200)
    for what, counted in statuses(load.between(began, stopping - 0.5)).items():
        assert set(counted) == {good[what.split(" ")[1]]}, what
    for what, counted in statuses(load.between(recovered, ended)).items():
        assert set(counted) <= {good[what.split(" ")[1]], 429}, (what, counted)

    # While nobody knows what is revoked: no token, no other error, and who asked is told when to ask again.
    blind = load.between(stopped + BLIND, starting)
    for what, counted in statuses(blind).items():
        subject = what.split(" ")[1]
        assert set(counted) == {200 if subject in PUBLIC else 503}, (what, counted)
    # The rest of the time: either as ever, or the same refusal. Never an error that is ours.
    for answer in load.answers:
        subject = answer.what.split(" ")[1]
        assert answer.status in {good[subject], 429} or subject not in PUBLIC, answer
        assert answer.status in {good[subject], 429, 503}, answer
        assert answer.status not in {429, 503} or answer.retry_after is not None, answer
    last = max(
        a.asked_at for a in load.between(stopping, starting) if a.status == 200 and "exchange" in a.what
    )
    measured("the last token after PostgreSQL was gone", max(0.0, last - stopped))


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

        with Load({"management": make_and_delete}) as load:
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
