"""F1: PostgreSQL stops for two minutes under 200 verifications and 20 exchanges a second.

Verifiers notice nothing. JWKS, metadata and list are served on. Exchanges answer 503 with `Retry-After` in
less than 2 s, never 500; no token once the database was not heard of for a second plus the allowance.
`/livez` 200, `/readyz` 503. Within 5 s after PostgreSQL is back all works again, without a restart.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from keys import RoleKey
from tests.faults.conftest import Lasting
from tests.faults.verifying import Verifying
from tests.journeys.client import SERVICES, Client, seconds_until
from tests.journeys.conftest import Measured
from tests.journeys.load import Load, statuses
from tests.journeys.workers import every_worker
from tests.postgresql import PostgresBinaries, PostgresServer
from tests.postgresql_proxy import PostgresProxy
from tests.running_issuer import RunningIssuer, start_issuer
from verifier import Verifier

BLIND = 1.0
"""Seconds without a look at the database until nothing is issued any more."""
ALLOWANCE = 2.0
RECOVERY = 5.0
REFUSAL = 2.0
DOCUMENTS = (
    "/.well-known/jwks.json",
    "/status/1",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
)
PUBLIC = (*DOCUMENTS, "/livez")
AUTHORIZE = "/authorize?" + urlencode(
    {
        "client_id": "hourmark-cli",
        "redirect_uri": "http://127.0.0.1/callback",
        "response_type": "code",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
)
DEVICE = {"client_id": "hourmark-cli", "scope": "nothing"}
ISSUED = ("exchange", 200)
EXCHANGES = 20.0
VERIFICATIONS = 200.0
"""A second."""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One of its own: nobody else's issuer is to fall."""
    binaries = PostgresBinaries.find()
    if binaries is None:
        pytest.skip("no PostgreSQL: install the dev requirements, or Debian's package postgresql")
    with PostgresServer(binaries) as running:
        yield running


@pytest.fixture
def settings(server: PostgresServer) -> dict[str, str]:
    return {"HOURMARKD_DATABASE_URL": server.create_database(), "HOURMARKD_FAILURES_PER_MINUTE": "100000"}


@pytest.fixture
def processes(settings: dict[str, str], tmp_path: Path) -> Iterator[tuple[RunningIssuer, RunningIssuer]]:
    with start_issuer(tmp_path, **settings) as first, first.another() as second:
        yield first, second


def everything(client: Client, key: RoleKey, busy_role: str) -> dict[str, Callable[[], httpx.Response]]:
    """What everybody does at one process, all at once."""
    asks: dict[str, Callable[[], httpx.Response]] = {
        "exchange": lambda: client.exchange(key),
        "exchange unknown key": lambda: client.exchange(RoleKey.generate()),
        "make a key": lambda: client.ask("POST", f"/v1/roles/{busy_role}/keys", json={}),
        "/authorize": lambda: client.ask("GET", AUTHORIZE),
        # With a scope that opens nothing: devices that wait are counted, and these come by the dozen.
        "/v1/device": lambda: client.ask("POST", "/v1/device", data=DEVICE),
        "/readyz": lambda: client.ask("GET", "/readyz"),
    }
    return asks | {path: partial(client.ask, "GET", path) for path in PUBLIC}


def test_nothing_is_issued_blindly_and_all_comes_back(
    server: PostgresServer,
    processes: tuple[RunningIssuer, RunningIssuer],
    lasting: Lasting,
    measured: Measured,
) -> None:
    healthy = {what: {200} for what in ("exchange", "/readyz", *PUBLIC)}
    healthy |= {"exchange unknown key": {401}, "make a key": {201}}
    healthy |= {"/authorize": {303}, "/v1/device": {400}}
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(process)) for process in processes]
        busy_role, role = clients[0].new_role(), clients[0].new_role()
        key = clients[0].new_key(role)
        token = clients[0].token(key)
        verifier = stack.enter_context(Verifier(processes[0].url, SERVICES))
        first, second = (everything(client, key, busy_role) for client in clients)
        verifying = stack.enter_context(Verifying(verifier, token, rate=VERIFICATIONS))
        with Load({what: [first[what], second[what]] for what in healthy}, rate=EXCHANGES) as load:
            began = time.monotonic()
            time.sleep(1)
            stopping = time.monotonic()
            server.stop()
            stopped = time.monotonic()
            time.sleep(lasting(3, 120))
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
        assert answer.answered_at - answer.asked_at < REFUSAL or answer.what == "make a key", answer
    assert verifying.verdicts.keys() == {"good"}
    assert verifying.slowest < REFUSAL
    for process in processes:
        assert "Traceback" not in process.log.read_text()
    tokens = [answer for answer in load.between(stopping, starting) if (answer.what, answer.status) == ISSUED]
    measured("the last token after PostgreSQL had gone", max(each.answered_at for each in tokens) - stopped)


def test_known_role_keys_are_exchanged_for_the_allowance_and_no_longer(
    server: PostgresServer, settings: dict[str, str], tmp_path: Path, measured: Measured
) -> None:
    allowance = {"HOURMARKD_OUTAGE_ALLOWANCE": str(int(ALLOWANCE))}
    with start_issuer(tmp_path, **settings, **allowance) as issuer, Client(issuer) as client:
        key = client.new_key(client.new_role())
        client.token(key)
        server.stop()
        stopped = time.monotonic()
        asked = stopped
        while (answer := client.exchange(key)).is_success:
            # Whoever asked in time may be answered late: a busy machine is not a promise that is broken.
            assert asked - stopped < BLIND + ALLOWANCE
            time.sleep(0.01)
            asked = time.monotonic()
        took = time.monotonic() - stopped
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert took > ALLOWANCE - 0.5
        measured(f"exchanges after the database had gone, with an allowance of {ALLOWANCE} s", took)
        server.start()
        assert seconds_until(partial(issues, client, key)) < RECOVERY


def test_a_worker_that_dies_meanwhile_takes_nobody_along(
    server: PostgresServer, settings: dict[str, str], tmp_path: Path, measured: Measured
) -> None:
    """The one in its place cannot start yet; it waits, and its neighbour serves keys and list alone."""
    with start_issuer(tmp_path, 2, **settings) as host:
        with every_worker(host) as workers:
            key = workers[0].new_key(workers[0].new_role())
            killed = workers[0].process
        server.stop()
        os.kill(killed, signal.SIGKILL)
        seconds_until(lambda: any(line["event"] == "start_postponed" for line in host.lines()))
        for path in DOCUMENTS:
            with Client(host) as client:
                assert client.ask("GET", path).status_code == httpx.codes.OK
        server.start()
        back = time.monotonic()
        with every_worker(host) as workers:
            for worker in workers:
                assert seconds_until(partial(issues, worker, key)) < RECOVERY
            measured("PostgreSQL is back, until the new worker issues too", time.monotonic() - back)


def issues(client: Client, key: RoleKey) -> bool:
    return client.exchange(key).is_success


def test_a_worker_that_waits_for_the_database_can_be_told_to_stop(
    server: PostgresServer, settings: dict[str, str], tmp_path: Path
) -> None:
    with start_issuer(tmp_path, 2, **settings) as host:
        with every_worker(host) as workers:
            killed = workers[0].process
        server.stop()
        os.kill(killed, signal.SIGKILL)
        seconds_until(lambda: any(line["event"] == "start_postponed" for line in host.lines()))
        host.stop()
        assert host.process.returncode == 0


def test_a_database_that_only_falls_silent_delays_no_refusal(
    settings: dict[str, str], tmp_path: Path, measured: Measured
) -> None:
    """Nobody says that it is gone. Keys that are not in memory are asked for, and no answer comes."""
    with PostgresProxy(settings["HOURMARKD_DATABASE_URL"]) as proxy:
        through = settings | {"HOURMARKD_DATABASE_URL": proxy.url}
        with start_issuer(tmp_path, **through) as issuer, Client(issuer) as client:
            key = client.new_key(client.new_role())
            with proxy.silence():
                began = time.monotonic()
                answer = client.exchange(key)
                took = time.monotonic() - began
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                measured("the database falls silent, until an exchange is refused", took)
                assert took < REFUSAL
                time.sleep(BLIND)
                assert client.exchange(key).status_code == httpx.codes.SERVICE_UNAVAILABLE
                for path in DOCUMENTS:
                    assert client.ask("GET", path).status_code == httpx.codes.OK
            assert seconds_until(partial(issues, client, key)) < RECOVERY


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
