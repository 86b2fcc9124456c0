"""Clients that stay signed in, against a real service: httpx, httpx with asyncio, requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Event, Lock, Thread
from typing import Any

import httpx
import pytest
import requests

from holder.answers import IssuedToken
from holder.auth import HttpxAuth, RequestsAuth
from holder.errors import Unreachable
from holder.fresh_token import FreshToken

AT_ONCE = 8


class Issuer:
    """Gives numbered tokens."""

    def __init__(self) -> None:
        self.given = 0
        self.is_away = False

    def ask(self, refused: str | None) -> IssuedToken:
        del refused
        if self.is_away:
            raise Unreachable("The issuer did not answer", code="unreachable")
        self.given += 1
        return IssuedToken(access_token=f"t{self.given}", token_type="Bearer", expires_in=3600)


class Service(ThreadingHTTPServer):
    """Accepts some tokens, and remembers every request: its path, its token and its body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.accepted = {"t1"}
        self.asked: list[tuple[str, str | None, bytes]] = []
        self.lock = Lock()
        self.leads_to = ""

    @property
    def tokens(self) -> list[str | None]:
        return [token for _, token, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        header = self.headers.get("Authorization")
        token = None if header is None else header.removeprefix("Bearer ")
        with self.server.lock:
            self.server.asked.append((self.path, token, self._body()))
        redirects = self.path == "/elsewhere"
        self.send_response(307 if redirects else 200 if token in self.server.accepted else 401)
        if redirects:
            self.send_header("Location", self.server.leads_to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the library's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *ignored: object) -> None:
        pass


@contextmanager
def served() -> Iterator[Service]:
    with Service() as service:
        Thread(target=service.serve_forever, args=(0.02,)).start()
        try:
            yield service
        finally:
            service.shutdown()


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as opened:
        yield opened


@pytest.fixture
def other() -> Iterator[Service]:
    with served() as opened:
        yield opened


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def token(issuer: Issuer) -> FreshToken:
    return FreshToken(issuer.ask)


Send = Callable[..., int]
"""`send(method, url, content=…)` gives the status; redirects are followed."""


def with_httpx(token: FreshToken) -> Send:
    def send(method: str, url: str, content: Any = None) -> int:
        with httpx.Client(auth=HttpxAuth(token), follow_redirects=True) as client:
            return client.request(method, url, content=content).status_code

    return send


def with_asyncio(token: FreshToken) -> Send:
    def send(method: str, url: str, content: Any = None) -> int:
        async def sending() -> int:
            async with httpx.AsyncClient(auth=HttpxAuth(token), follow_redirects=True) as client:
                return (await client.request(method, url, content=content)).status_code

        return asyncio.run(sending())

    return send


def with_requests(token: FreshToken) -> Send:
    def send(method: str, url: str, content: Any = None) -> int:
        with requests.Session() as session:
            session.auth = RequestsAuth(token)
            return session.request(method, url, data=content, timeout=20).status_code

    return send


@pytest.fixture(params=[with_httpx, with_asyncio, with_requests], ids=["httpx", "asyncio", "requests"])
def send(request: pytest.FixtureRequest, token: FreshToken) -> Send:
    made: Send = request.param(token)
    return made


def test_the_token_is_sent_and_kept(send: Send, service: Service) -> None:
    assert [send("GET", service.url) for _ in range(3)] == [200] * 3
    assert service.tokens == ["t1"] * 3


def test_one_401_leads_to_one_more_attempt_with_another_token(send: Send, service: Service) -> None:
    assert send("GET", service.url) == 200
    service.accepted = {"t2"}
    assert send("POST", service.url, b"the body") == 200
    assert service.asked[1:] == [("/", "t1", b"the body"), ("/", "t2", b"the body")]


def test_a_second_401_is_the_answer(send: Send, service: Service, issuer: Issuer) -> None:
    service.accepted = set()
    assert send("GET", service.url) == 401
    assert service.tokens == ["t1", "t2"]
    assert send("GET", service.url) == 401
    assert (service.tokens[2:], issuer.given) == (["t2"], 2), "nor is the issuer asked for more and more"


def test_no_attempt_is_made_with_the_token_that_was_just_refused(service: Service) -> None:
    service.accepted = set()
    own = FreshToken(lambda _: IssuedToken(access_token="own", token_type="Bearer", expires_in=3600))
    for make in (with_httpx, with_asyncio, with_requests):
        assert make(own)("GET", service.url) == 401
    assert service.tokens == ["own"] * 3


async def slowly() -> AsyncIterator[bytes]:
    yield b"the body"


@pytest.mark.parametrize(
    ("make", "content"),
    [
        (with_httpx, lambda: iter([b"the body"])),
        (with_httpx, lambda: BytesIO(b"the body")),
        (with_asyncio, slowly),
        (with_requests, lambda: iter([b"the body"])),
        (with_requests, lambda: BytesIO(b"the body")),
    ],
    ids=["httpx, an iterator", "httpx, a file", "asyncio", "requests, an iterator", "requests, a file"],
)
def test_what_cannot_be_sent_again_is_not(
    token: FreshToken, service: Service, make: Callable[[FreshToken], Send], content: Callable[[], object]
) -> None:
    service.accepted = {"t2"}
    assert make(token)("POST", service.url, content()) == 401
    assert service.asked == [("/", "t1", b"the body")]


@pytest.mark.parametrize("accepted", [{"t1"}, set()], ids=["accepts it", "refuses everything"])
def test_another_origin_never_sees_it(
    send: Send, service: Service, other: Service, issuer: Issuer, accepted: set[str]
) -> None:
    service.leads_to, other.accepted = f"{other.url}/there", accepted
    assert send("GET", f"{service.url}/elsewhere") == 401
    assert (service.tokens, other.asked) == (["t1"], [("/there", None, b"")])
    assert issuer.given == 1, "what another origin refuses says nothing about the token"


def test_the_same_origin_does(send: Send, service: Service) -> None:
    service.leads_to, service.accepted = f"{service.url}/there", {"t2"}
    assert send("GET", f"{service.url}/elsewhere") == 200
    assert service.asked[0] == ("/elsewhere", "t1", b"")
    assert service.asked[-1] == ("/there", "t2", b"")


def test_an_issuer_that_is_away_is_told_of(send: Send, service: Service, issuer: Issuer) -> None:
    issuer.is_away = True
    with pytest.raises(Unreachable):
        send("GET", service.url)
    assert service.asked == []


def test_threads_refresh_once(service: Service, issuer: Issuer, token: FreshToken) -> None:
    service.accepted = {"t2"}
    with (
        httpx.Client(auth=HttpxAuth(token)) as client,
        requests.Session() as session,
        ThreadPoolExecutor(2 * AT_ONCE) as pool,
    ):
        session.auth = RequestsAuth(token)
        asked: list[Future[Any]] = [
            pool.submit(each, service.url) for each in (client.get, session.get) * AT_ONCE
        ]
        assert {answer.result().status_code for answer in asked} == {200}
    assert issuer.given == 2


def test_tasks_refresh_once(service: Service, issuer: Issuer, token: FreshToken) -> None:
    service.accepted = {"t2"}

    async def all_at_once() -> set[int]:
        async with httpx.AsyncClient(auth=HttpxAuth(token)) as client:
            answers = await asyncio.gather(*(client.get(service.url) for _ in range(AT_ONCE)))
        return {answer.status_code for answer in answers}

    assert asyncio.run(all_at_once()) == {200}
    assert issuer.given == 2


def test_a_loop_goes_on_while_the_issuer_is_asked(service: Service) -> None:
    """The issuer answers only when another task of the same loop has run."""
    go_on = Event()

    def ask(refused: str | None) -> IssuedToken:
        del refused
        assert go_on.wait(20)
        return IssuedToken(access_token="t1", token_type="Bearer", expires_in=3600)

    async def both() -> int:
        async def other_task() -> None:
            go_on.set()

        async with httpx.AsyncClient(auth=HttpxAuth(FreshToken(ask))) as client:
            answer, _ = await asyncio.gather(client.get(service.url), other_task())
        return answer.status_code

    assert asyncio.run(both()) == 200
