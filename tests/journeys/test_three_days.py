"""A job of three days: tokens that end every hour, keys and labels that change, and nothing is refused.

The issuer, the launcher and its program are processes of their own; the service's verifier refreshes itself.
They all have one clock, which is moved forward by minutes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.issuer.http.world import World, open_world, until
from tests.journeys import three_days_job
from tests.journeys.terminal import Terminal
from tests.recording import sitecustomize
from tests.recording.shared_clock import SharedClock
from verifier import TokenError, Verifier, jws, refresh
from verifier.bearer import bearer_token

SERVICES = "urn:hourmark:services"
HOURS = 72
STEP_SECONDS = 700
"""Less than the fifth of an hour for which old tokens are good still."""
STEPS = HOURS * 3600 // STEP_SECONDS


class Service(ThreadingHTTPServer):
    """Accepts what its verifier accepts, and remembers what it does not."""

    daemon_threads = True

    def __init__(self, world: World, verifier: Verifier, clock: SharedClock) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.world = world
        self.verifier = verifier
        self.clock = clock
        self.refused: list[str] = []
        self.signers: set[str] = set()
        self.tokens: set[str] = set()

    def forward(self) -> None:
        """As time passes, what a verifier refreshes in it is refreshed."""
        trust, now = self.verifier.trust, self.clock.forward(STEP_SECONDS)
        until(lambda: (trust.keys_updated_at or 0) >= now)
        until(lambda: all(each.content.expires_at > now + STEP_SECONDS for each in trust.lists.values()))


class _Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        raw = bearer_token(self.headers.get("Authorization")) or ""
        try:
            self.server.verifier.verify(raw).require("data:get", "my-set")
            self.server.tokens.add(raw)
            self.server.signers.add(str(jws.parse(raw).header.kid))
            self._answer(200)
        except TokenError as error:
            self.server.refused.append(f"{error.code}: {error}")
            self._answer(401)

    def do_POST(self) -> None:
        if self.path == "/labels":
            path = f"/v1/jobs/{self.headers['Job']}/labels"
            self._answer(self.server.world.admin.put(path, json={"labels": {"stage": "live"}}).status_code)
        else:
            self.server.forward()
            self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored: object) -> None:
        pass


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedClock:
    """That of this process and of all that it starts."""
    shared = SharedClock(tmp_path / "clock")
    monkeypatch.setenv(sitecustomize.CLOCK, str(tmp_path / "clock"))
    monkeypatch.setattr(time, "time", shared.time)
    # The verifier asks for keys in real time.
    monkeypatch.setattr(refresh, "_KEYS_AGE", (0.03, 0.03))
    monkeypatch.setattr(refresh, "_PAUSE", 0.01)
    return shared


@pytest.fixture
def world(clock: SharedClock, tmp_path: Path) -> Iterator[World]:
    del clock  # the issuer is to have it
    with open_world(tmp_path, HOURMARKD_SIGNING_KEY_LIFETIME=str(5 * 3600)) as opened:
        yield opened


@contextmanager
def served(world: World, clock: SharedClock) -> Iterator[Service]:
    with Verifier(world.url, SERVICES) as verifier, Service(world, verifier, clock) as service:
        Thread(target=service.serve_forever, args=(0.05,)).start()
        try:
            yield service
        finally:
            service.shutdown()


@pytest.mark.slow
def test_no_client_sees_a_401(world: World, clock: SharedClock, tmp_path: Path) -> None:
    role = world.role("data:get@*")
    key = world.holder("job:*@*", f"role:assume@{role}")
    limit = (STEPS + 1) * STEP_SECONDS
    program = f"{sys.executable} {three_days_job.__file__}"
    with (
        served(world, clock) as service,
        Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key.text) as terminal,
    ):
        launched = f"hourmark job new --role {role} --time-limit {limit}s -- {program}"
        done = terminal.run(f"{launched} {service.url} {STEPS} {STEP_SECONDS}")
        assert (done.code, service.refused) == (0, []), done.err
        seen = json.loads(done.out)
        assert seen.pop("ended") == [401] * 3, "after its limit nobody gets a token"
        assert {kind: (len(each), set(each)) for kind, each in seen.items()} == dict.fromkeys(
            ("httpx", "asyncio", "requests", "file", "socket"), (STEPS, {200})
        )
        # One for the clients with the ticket, one for endpoint and file, and what comes by chance.
        assert 2 * HOURS <= len(service.tokens) <= 4 * HOURS, "one an hour, or a little more"
        assert len(service.signers) >= HOURS // 6, "the signing keys changed"
