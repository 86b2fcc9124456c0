"""A process is killed in the middle of its work, or gone for a while: what was promised still holds."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import httpx

from keys import RoleKey
from tests.journeys.client import SERVICES, Client, seconds_until, seconds_until_revoked, verdict
from tests.journeys.conftest import Measured, NewDatabase
from tests.journeys.stopwatch import own_seconds
from tests.running_issuer import start_issuer, start_program
from verifier import Verifier

BUSY = 1.0
JWKS = "/.well-known/jwks.json"


class Manager:
    """Makes role keys, deletes every other one, and notes what was acknowledged, until nobody answers."""

    def __init__(self, client: Client) -> None:
        self.role = client.new_role()
        self.kept: list[RoleKey] = []
        self.deleted: list[RoleKey] = []
        self.tokens: dict[str, str] = {}
        """By access id, a token of each."""
        self._client = client

    def work(self) -> None:
        try:
            while True:
                key = self._client.new_key(self.role)
                if len(self.tokens) % 2 == 0:
                    self.kept.append(key)
                self.tokens[key.access] = self._client.token(key)
                if key not in self.kept:
                    self._client.delete_key(self.role, key)  # unanswered, it may have happened or not
                    self.deleted.append(key)
        except httpx.TransportError:
            return


def test_what_was_acknowledged_survives_kill_9(new_database: NewDatabase, tmp_path: Path) -> None:
    settings = new_database() | {"HOURMARKD_FAILURES_PER_MINUTE": "100000"}
    with start_program(tmp_path, **settings) as issuer, Client(issuer) as client:
        manager = Manager(client)
        work = threading.Thread(target=manager.work)
        work.start()
        time.sleep(BUSY)
        seen = client.trust()
        issuer.stop(signal.SIGKILL)
        work.join()
    assert manager.kept
    assert manager.deleted
    with issuer.restart() as issuer, Client(issuer) as client:
        for key in manager.kept:
            assert client.exchange(key).status_code == httpx.codes.OK
        for key in manager.deleted:
            assert client.refuses(key)
        # Its documents are not older than what it had shown, and say the same of every token.
        uri = f"{seen.issuer}/status/1"
        before, trust = seen.lists[uri].content, client.trust()
        assert trust.lists[uri].content.version >= before.version
        verifier = Verifier(trust.issuer, SERVICES, trust=trust)
        kept = [verdict(verifier, manager.tokens[key.access]) for key in manager.kept[:-1]]
        assert set(kept) == {"good"}
        assert {verdict(verifier, manager.tokens[key.access]) for key in manager.deleted} == {"revoked"}


def test_a_second_start_is_quick_and_keeps_everything(
    new_database: NewDatabase, tmp_path: Path, measured: Measured
) -> None:
    with start_program(tmp_path, **new_database()) as issuer, Client(issuer) as client:
        role = client.new_role()
        key, deleted = client.new_key(role), client.new_key(role)
        token = client.token(key)
        client.delete_key(role, deleted)
        # Its first second makes the next key; from then on nothing changes by itself.
        seconds_until(lambda: len(client.ask("GET", JWKS).json()["keys"]) == 2)
        documents = [client.ask("GET", path).content for path in (JWKS, "/status/1")]
    began = time.monotonic()
    with issuer.restart() as issuer, Client(issuer) as client:
        took = own_seconds(issuer.process.pid, since=began)
        measured("second start, until it is ready", took)
        # Keys and list are the same to the byte, so no verifier notices.
        paths = (JWKS, "/status/1")
        assert [client.ask("GET", path).content for path in paths] == documents
        assert client.verdict(token) == "good"
        assert client.exchange(key).status_code == httpx.codes.OK
        assert client.refuses(deleted)
        assert client.ask("GET", f"/v1/roles/{role}").json()["name"] == role
        assert client.ask("GET", "/v1/me").json()["principal"] == "user:admin"


def test_verifiers_go_on_without_the_issuer_and_follow_it_when_it_is_back(
    new_database: NewDatabase, tmp_path: Path, measured: Measured
) -> None:
    with start_issuer(tmp_path, **new_database()) as issuer:
        with Client(issuer) as client:
            role = client.new_role()
            key, deleted = client.new_key(role), client.new_key(role)
            token, token_of_deleted = client.token(key), client.token(deleted)
            unseen = client.token(key)
        cache = tmp_path / "verifier-cache"
        with Verifier(issuer.url, SERVICES, cache_path=cache) as verifier:
            assert verdict(verifier, token) == verdict(verifier, token_of_deleted) == "good"
            issuer.stop(signal.SIGKILL)
            # Also for a token that it has never met, and for a service that starts only now.
            assert verdict(verifier, token) == verdict(verifier, unseen) == "good"
            with Verifier(issuer.url, SERVICES, wait=0, cache_path=cache) as started_now:
                assert verdict(started_now, unseen) == "good"
            with Verifier(issuer.url, SERVICES, wait=0) as without_cache:
                assert verdict(without_cache, unseen) == "keys_unavailable"
                with issuer.restart() as back, Client(back) as client:
                    client.delete_key(role, deleted)
                    took = seconds_until_revoked(verifier, token_of_deleted)
                    measured("issuer is back, until a verifier knows what it revoked then", took)
                    assert verdict(verifier, token) == "good"
                    seconds_until_revoked(without_cache, token_of_deleted)
                    assert verdict(without_cache, token) == "good"
