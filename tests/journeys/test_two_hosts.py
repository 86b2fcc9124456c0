"""Two hosts of one issuer look like one: documents equal to the byte, and verifiers that notice nothing."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle

import httpx
import pytest

from tests.conftest import Counted
from tests.journeys.client import SERVICES, Client, seconds_until, seconds_until_revoked, verdict
from tests.journeys.conftest import Measured
from tests.journeys.proxy import Proxy, serve_proxy
from tests.journeys.workers import Worker, every_worker
from tests.postgresql import PostgresServer
from tests.postgresql_proxy import PostgresProxy
from tests.running_issuer import RunningIssuer, start_issuer
from verifier import Verifier

JWKS = "/.well-known/jwks.json"
LIST = "/status/1"
DOCUMENTS = (JWKS, LIST, "/.well-known/openid-configuration")
BREATH = 0.01
REVOCATIONS = 20
BEHIND = 5
PROMISED = 1.0
TTL = 2
QUIET = 2.0 * TTL
LATENCY = 1.0
"""What questions and answers themselves may take on a busy machine, added to the promise."""


class Reader:
    """Reads the documents of one process again and again, each as often as the others."""

    def __init__(self, worker: Worker) -> None:
        self.read: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        """By path, what was served: its ETag and its bytes, in order."""
        self._worker = worker

    def read_once(self) -> None:
        for path in DOCUMENTS:
            answer = self._worker.ask("GET", path).raise_for_status()
            self.read[path].append((answer.headers.get("ETag", ""), answer.content))

    def read_on(self, end: threading.Event) -> None:
        while not end.wait(BREATH):
            self.read_once()


@contextmanager
def reading(readers: list[Reader]) -> Iterator[None]:
    end = threading.Event()
    threads = [threading.Thread(target=reader.read_on, args=(end,)) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


def test_every_process_serves_the_same_bytes_version_by_version(
    hosts: list[RunningIssuer], counted: Counted
) -> None:
    with every_worker(*hosts) as workers, ExitStack() as stack:
        readers = [Reader(worker) for worker in workers]
        writers = [stack.enter_context(Client(host)) for host in hosts]
        role = writers[0].new_role()
        keys = [writers[0].new_key(role) for _ in range(REVOCATIONS)]
        for reader in readers:
            reader.read_once()
        with reading(readers):
            for number, key in enumerate(keys):
                writers[number % len(writers)].delete_key(role, key)
                time.sleep(0.02)
            time.sleep(PROMISED)
        for reader in readers:
            reader.read_once()
    for path in DOCUMENTS:
        everywhere = [document for reader in readers for document in reader.read[path]]
        bytes_of = defaultdict(set)
        for etag, content in everywhere:
            bytes_of[etag].add(content)
        assert {len(contents) for contents in bytes_of.values()} == {1}, path
        assert len({reader.read[path][-1] for reader in readers}) == 1, "all have arrived at the same version"
    for reader in readers:
        versions = [int(etag.strip('"')) for etag, _ in reader.read[LIST]]
        assert versions == sorted(versions), "no process goes back"
        assert versions[-1] - versions[0] >= REVOCATIONS
    numbers = {path: sum(len(reader.read[path]) for reader in readers) for path in DOCUMENTS}
    counted(f"documents of {len(readers)} processes, compared", numbers)


@dataclass(frozen=True)
class RoundRobin:
    """Two hosts behind a proxy that asks them by turns."""

    proxy: Proxy
    here: Client
    there: Client
    between_there_and_postgresql: PostgresProxy

    def etag(self, verifier: Verifier) -> str:
        """Of the list that the verifier holds."""
        return f'"{verifier.trust.lists[self.proxy.url + LIST].content.version}"'

    @contextmanager
    def questions_at_most(self, each: int, times: int) -> Iterator[None]:
        """So many for each of what happens in the block, and those of two hosts that are polled."""
        began, before = time.monotonic(), len(self.proxy.passed)
        yield
        polls = 2 * (time.monotonic() - began) / TTL
        assert len(self.proxy.passed) - before <= each * times + polls + 1


@pytest.fixture(scope="module")
def round_robin(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RoundRobin]:
    folder, database_url = tmp_path_factory.mktemp("round-robin"), postgres_server.create_database()
    with serve_proxy(passes_preferences=True) as proxy, PostgresProxy(database_url) as postgresql_proxy:
        settings = {"HOURMARKD_ISSUER": proxy.url, "HOURMARKD_STATUS_TTL": str(TTL)}
        settings |= {"HOURMARKD_DATABASE_URL": database_url}
        with (
            start_issuer(folder, **settings) as first,
            first.another(HOURMARKD_DATABASE_URL=postgresql_proxy.url) as second,
            Client(first) as here,
            Client(second) as there,
        ):
            proxy.lead_to(first.url, second.url)
            yield RoundRobin(proxy, here, there, postgresql_proxy)


def test_a_verifier_that_asks_both_by_turns_never_loops(round_robin: RoundRobin, measured: Measured) -> None:
    here, there = round_robin.here, round_robin.there
    role = here.new_role()
    keys = [here.new_key(role) for _ in range(REVOCATIONS)]
    bystander, *tokens = (here.token(key) for key in [here.new_key(role), *keys])
    slowest = 0.0
    with Verifier(round_robin.proxy.url, SERVICES) as verifier:
        with round_robin.questions_at_most(1, 1):
            time.sleep(QUIET)
        with round_robin.questions_at_most(2, REVOCATIONS):
            for writer, key, token in zip(cycle([here, there]), keys, tokens, strict=False):
                assert verdict(verifier, token) == "good"
                writer.delete_key(role, key)
                slowest = max(slowest, seconds_until_revoked(verifier, token))
                assert verdict(verifier, bystander) == "good"
    measured("revoked, until a verifier that asks two hosts by turns refuses", slowest)
    assert slowest < PROMISED


def test_nor_while_one_of_them_stays_behind(round_robin: RoundRobin, measured: Measured) -> None:
    """It does not reach the database, and serves an older list than the verifier has seen."""
    here, there = round_robin.here, round_robin.there
    role = here.new_role()
    keys = [here.new_key(role) for _ in range(BEHIND)]
    bystander, *tokens = (here.token(key) for key in [here.new_key(role), *keys])
    slowest = 0.0
    with Verifier(round_robin.proxy.url, SERVICES) as verifier:
        known, before = round_robin.etag(verifier), len(round_robin.proxy.passed)
        silence = round_robin.between_there_and_postgresql.silence()
        with silence, round_robin.questions_at_most(4, BEHIND):
            for number, key in enumerate(keys):
                here.delete_key(role, key)
                slowest = max(slowest, seconds_until_revoked(verifier, tokens[number]))
                assert {verdict(verifier, token) for token in tokens[:number]} <= {"revoked"}
                assert verdict(verifier, bystander) == "good"
            seconds_until(
                lambda: (
                    (200, known) in [(each.status, each.etag) for each in round_robin.proxy.passed[before:]]
                )
            )
            assert there.ask("GET", "/readyz").status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert {verdict(verifier, token) for token in tokens} == {"revoked"}
        newest = round_robin.etag(verifier)
        measured(
            "the host that stayed behind, until it has the list of the others",
            seconds_until(lambda: there.ask("GET", LIST).headers["ETag"] == newest),
        )
        assert {verdict(verifier, token) for token in tokens} == {"revoked"}
    measured(f"revoked, until a verifier refuses that may wait where nothing is heard (ttl {TTL} s)", slowest)
    assert slowest < TTL + LATENCY
