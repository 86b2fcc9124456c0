"""A job of three days: tokens that end every hour, signing keys that change, and nothing is refused.

The issuer, the service and the clients are real and talk HTTP; they share a process, so that its clock can be
moved from one five minutes to the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
import requests
import uvicorn
from starlette.routing import Router

from holder.auth import HttpxAuth, RequestsAuth
from holder.client import Issuer
from holder.credentials import Credential
from holder.errors import SignInNeeded
from holder.holder import Holder
from holder.local_endpoint import TokenServer
from issuer.app import ROWS
from issuer.console.pages import refusal_page
from issuer.hosts import AllowedHosts
from issuer.housekeeping import keep_up
from issuer.resources import Resources
from issuer.service import open_service
from issuer.settings import Settings
from issuer.setup import initialise, open_database, read_key_encryption_key
from issuer.telemetry import RequestLog
from tests.running_issuer import free_port
from verifier import TokenError, Trust, Verifier, jws
from verifier.bearer import bearer_token

SERVICES = "urn:hourmark:services"
HOURS = 72
STEP_SECONDS = 300


class Clock:
    """The time of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr(time, "time", lambda: self.now)


class InProcess:
    """An issuer whose housekeeping is done when the test says so."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._resources = Resources(self._lifespan, refusal_page)
        app = RequestLog(AllowedHosts(self._resources, settings))
        self._server = uvicorn.Server(
            uvicorn.Config(app, port=settings.port, log_config=None, access_log=False)
        )
        self._is_open = Event()

    @asynccontextmanager
    async def _lifespan(self, _: Router) -> AsyncIterator[None]:
        database = open_database(self._settings)
        self._service = await open_service(self._settings, database, read_key_encryption_key(self._settings))
        self._loop = asyncio.get_running_loop()
        self._resources.open(self._service, ROWS)
        follow = asyncio.create_task(self._service.coherence.follow())
        self._is_open.set()
        yield
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)
        await self._service.close()

    def keep_up(self, now: float) -> None:
        asyncio.run_coroutine_threadsafe(keep_up(self._service, int(now)), self._loop).result(20)

    @contextmanager
    def served(self) -> Iterator[None]:
        thread = Thread(target=self._server.run)
        thread.start()
        assert self._is_open.wait(20), "the issuer did not start"
        try:
            yield
        finally:
            self._server.should_exit = True
            thread.join()


class Protected(ThreadingHTTPServer):
    """A service that accepts what its verifier accepts, and remembers what it does not."""

    def __init__(self, verifier: Verifier) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.verifier = verifier
        self.refused: list[str] = []
        self.signers: set[str] = set()
        self.tokens: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: Protected
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        raw = bearer_token(self.headers.get("Authorization")) or ""
        try:
            self.server.verifier.verify(raw).require("data:get", "my-set")
            self.server.tokens.add(raw)
            self.server.signers.add(str(jws.parse(raw).header.kid))
            status = 200
        except TokenError as error:
            self.server.refused.append(f"{error.code}: {error}")
            status = 401
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored: object) -> None:
        pass


@contextmanager
def served(verifier: Verifier) -> Iterator[Protected]:
    with Protected(verifier) as service:
        Thread(target=service.serve_forever, args=(0.05,)).start()
        try:
            yield service
        finally:
            service.shutdown()


@pytest.mark.slow
def test_no_client_sees_a_401(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    clock = Clock(monkeypatch)
    settings = Settings(
        data_dir=tmp_path / "data", port=free_port(), signing_key_lifetime=5 * 3600, algorithm="ES256"
    )
    first = initialise(settings, "admin").role_key
    issuer = InProcess(settings)
    with ExitStack() as stack:
        stack.enter_context(issuer.served())
        admin = Issuer(settings.issuer_url, Credential(first, "tests"))
        stack.callback(admin.close)
        admin.create_role("org.tests.trainer")
        admin.create_policy("org.tests.trainer", "data:get@*")
        job = admin.create_job(
            "org.tests.trainer", name="long", labels={}, time_limit_seconds=HOURS * 3600 + 60
        )
        (tmp_path / "ticket").write_text(job.ticket)
        holder = Holder(url=settings.issuer_url, environ={"HOURMARK_TOKEN_FILE": str(tmp_path / "ticket")})
        socket = tmp_path / "socket"
        stack.enter_context(
            TokenServer(socket, lambda resource, scope: holder.fresh_token(resource=resource, scope=scope))
        )
        inside = Holder(environ={"HOURMARK_TOKEN_SOCKET": str(socket)}).fresh_token()
        trust = Trust(settings.issuer_url)
        service = stack.enter_context(served(Verifier(settings.issuer_url, SERVICES, trust=trust)))
        by_ticket = stack.enter_context(httpx.Client(auth=HttpxAuth(holder.fresh_token())))
        by_socket = stack.enter_context(requests.Session())
        by_socket.auth = RequestsAuth(inside)
        statuses: set[int] = set()
        for _ in range(HOURS * 3600 // STEP_SECONDS):
            issuer.keep_up(clock.now)
            # As often as the issuer allows caches to keep them.
            trust.update_keys(admin.jwks(), now=clock.now)
            trust.update_status_list(admin.status_list(1), now=clock.now)
            statuses |= {by_ticket.get(service.url).status_code, by_socket.get(service.url).status_code}
            clock.now += STEP_SECONDS
        assert (service.refused, statuses) == ([], {200})
        assert HOURS <= len(service.tokens) / 2 <= 2 * HOURS, "each client had one an hour, or a little more"
        assert len(service.signers) >= HOURS // 6, "the signing keys changed"
        clock.now += 120
        with pytest.raises(SignInNeeded):
            by_ticket.get(service.url)
