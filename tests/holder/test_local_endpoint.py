"""A job's local endpoint: who may ask, what is answered, and that nobody else gets near it."""

from __future__ import annotations

import json
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import pytest

from holder import local_endpoint
from holder.answers import IssuedToken
from holder.errors import HolderError, NotPermitted, SignInNeeded, Throttled, Unreachable
from holder.fresh_token import FreshToken
from holder.holder import Holder
from holder.local_endpoint import TokenServer
from tests.holder.conftest import Hourmark

GOOD = ["Host: localhost", "Metadata: true"]


class Job:
    """What the endpoint gets its tokens from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[tuple[str | None, str | None]] = []
        self.trouble: HolderError | None = None

    def make(self, resource: str | None, scope: str | None) -> FreshToken:
        def ask(refused: str | None) -> IssuedToken:
            del refused
            self.asked.append((resource, scope))
            if self.trouble is not None:
                raise self.trouble
            return IssuedToken(
                access_token=f"t{len(self.asked)}", token_type="Bearer", expires_in=3600, scope="data:get@*"
            )

        return FreshToken(ask)

    def send(self, first: str, *headers: str) -> tuple[int, dict[str, str], dict[str, object]]:
        """The request as it is written here, and what comes back."""
        with socket.socket(socket.AF_UNIX) as opened:
            opened.settimeout(20)
            opened.connect(str(self.path))
            opened.sendall("\r\n".join([first, *headers, "", ""]).encode())
            with opened.makefile("rb") as reader:
                head, _, body = reader.read().decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(status.split()[1]), fields, json.loads(body)

    def get(self, *headers: str, path: str = "/v1/token") -> tuple[int, dict[str, str], dict[str, object]]:
        return self.send(f"GET {path} HTTP/1.1", *(headers or GOOD))


@pytest.fixture
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    opened = Job(tmp_path_factory.mktemp("s") / "socket")
    with TokenServer(opened.path, opened.make):
        yield opened
    assert not opened.path.exists()


def test_a_plain_get_gives_the_token(job: Job) -> None:
    status, headers, body = job.get()
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert body == {"access_token": "t1", "token_type": "Bearer", "expires_in": 3600, "scope": "data:get@*"}
    assert job.get()[2]["access_token"] == "t1", "it is fresh still"
    assert job.asked == [(None, None)]


def test_each_audience_and_scope_has_its_own(job: Job) -> None:
    for path in (
        "/v1/token?resource=https://a.example",
        "/v1/token?scope=data:get@x&resource=https://a.example",
    ):
        assert job.get(path=path)[0] == 200
    assert job.asked == [("https://a.example", None), ("https://a.example", "data:get@x")]


def test_other_users_are_kept_out_by_the_kernel(job: Job) -> None:
    assert stat.S_IMODE(job.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        (["Host: localhost"], "Metadata: true is missing"),
        (["Host: localhost", "Metadata: false"], "Metadata: true is missing"),
        ([*GOOD, "Metadata: true"], "Metadata: true is missing"),
        ([*GOOD, "Content-Length: 1"], "body"),
        ([*GOOD, "Content-Length: x"], "body"),
        (["Metadata: true"], "Host"),
        (["Host: job.example", "Metadata: true"], "Host"),
        (["Host: localhost:80", "Metadata: true"], "Host"),
        ([*GOOD, "Host: localhost"], "Host"),
        *(
            ([*GOOD, f"{name}: x"], name.lower())
            for name in (
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "x-forwarded-anything",
                "Forwarded",
                "Via",
                "X-Real-IP",
                "X-Original-URL",
                "X-Rewrite-URL",
                "X-Envoy-External-Address",
                "CF-Connecting-IP",
                "True-Client-IP",
                "Client-IP",
                "X-Client-IP",
                "X-Cluster-Client-IP",
                "X-Azure-ClientIP",
                "X-Appengine-User-IP",
                "Fastly-Client-IP",
                "CDN-Loop",
                "Max-Forwards",
                "Proxy-Authorization",
                "Proxy-Connection",
                "Upgrade",
                "Expect",
                "Sec-Fetch-Dest",
                "Sec-Fetch-User",
                "Sec-CH-UA",
                "Sec-WebSocket-Key",
                "Access-Control-Request-Method",
                "Upgrade-Insecure-Requests",
                "DNT",
                "Authorization",
                "Cookie",
                "Transfer-Encoding",
                "Origin",
                "Referer",
                "Sec-Fetch-Site",
            )
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_what_a_program_was_talked_into_sending(job: Job, headers: list[str], says: str) -> None:
    status, _, body = job.get(*headers)
    assert (status, body["error"]) == (403, "access_denied")
    assert says in str(body["error_description"])
    assert job.asked == []


STOCK = {
    "curl": ["User-Agent: curl/8.5.0", "Accept: */*"],
    "httpx": ["Accept: */*", "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "User-Agent: x"],
    "requests": ["User-Agent: x", "Accept-Encoding: gzip", "Accept: */*", "Connection: keep-alive"],
    "Go": ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"],
    "Java": [
        "Connection: Upgrade, HTTP2-Settings",
        "HTTP2-Settings: AAEAAEAA",
        "User-Agent: Java-http-client",
    ],
    "node fetch": [
        *("connection: keep-alive", "accept: */*", "accept-language: *", "sec-fetch-mode: cors"),
        *("user-agent: node", "accept-encoding: gzip, deflate"),
    ],
    "axios": ["Accept: application/json, text/plain, */*", "User-Agent: axios/1.7", "Content-Type: x/y"],
    "an empty body": ["Content-Length: 0", "Content-Type: application/json"],
    "no cache": ["Cache-Control: no-cache", "Pragma: no-cache"],
    "W3C tracing": [
        "traceparent: 00-4bf92f3577b34da6-00f067aa0ba902b7-01",
        "tracestate: a=b",
        "baggage: a=b",
    ],
    "Sentry": ["sentry-trace: 4bf92f-00f067-1", "baggage: sentry-environment=x"],
    "Datadog": ["x-datadog-trace-id: 1", "x-datadog-parent-id: 2", "x-datadog-sampling-priority: 1"],
    "Zipkin": ["X-B3-TraceId: 1", "X-B3-SpanId: 2", "b3: 0"],
    "AWS X-Ray": ["X-Amzn-Trace-Id: Root=1-67891233-abcdef"],
    "New Relic": ["newrelic: x"],
    "ids of requests": ["X-Request-Id: 1", "X-Correlation-Id: 2"],
}


@pytest.mark.parametrize("client", STOCK)
def test_what_clients_send_by_themselves_is_no_reason_to_refuse(job: Job, client: str) -> None:
    status, _, body = job.get(*GOOD, *STOCK[client])
    assert status == 200, body


def test_clients_over_the_socket(job: Job) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(job.path))) as client:
        answer = client.get("http://localhost/v1/token", headers={"Metadata": "true"})
    assert answer.json()["access_token"] == "t1"


NODE = """
const http = require("node:http");
const asked = { socketPath: process.argv[1], path: "/v1/token", headers: { Metadata: "true" } };
http.get(asked, (answer) => answer.pipe(process.stdout));
"""


@pytest.mark.parametrize("program", ["curl", "node"])
def test_programs_over_the_socket(job: Job, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: install it")
    path = str(job.path)
    command = {
        "curl": ["curl", "-s", "--unix-socket", path, "-H", "Metadata: true", "http://localhost/v1/token"],
        "node": ["node", "-e", NODE, path],
    }[program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["access_token"] == "t1"


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("GET / HTTP/1.1", 404),
        ("GET /v1/me HTTP/1.1", 404),
        ("GET //localhost/v1/token HTTP/1.1", 404),
        ("GET http://localhost/v1/token HTTP/1.1", 404),
        ("GET /v1/token?ticket=x HTTP/1.1", 400),
        ("GET /v1/token?scope=a&scope=b HTTP/1.1", 400),
        ("POST /v1/token HTTP/1.1", 405),
        ("HEAD /v1/token HTTP/1.1", 405),
    ],
)
def test_what_is_not_there(job: Job, first: str, status: int) -> None:
    answered, headers, body = job.send(first, *GOOD)
    assert (answered, "location" in headers) == (status, False)
    assert body["error_description"]
    assert job.asked == []


@pytest.mark.parametrize(
    ("trouble", "status", "kind"),
    [
        (SignInNeeded("The job has ended", code="invalid_token"), 401, SignInNeeded),
        (NotPermitted("Not permitted", code="insufficient_scope"), 403, NotPermitted),
        (HolderError("Refused", "nothing remains", code="invalid_scope"), 400, HolderError),
        (Unreachable("The issuer did not answer", code="unreachable"), 503, Unreachable),
        (Throttled("Asked too often", code="slow_down", retry_after=40), 429, Throttled),
    ],
    ids=["ended", "not permitted", "too wide", "issuer away", "asked too often"],
)
def test_what_the_issuer_refuses(
    job: Job, trouble: HolderError, status: int, kind: type[HolderError]
) -> None:
    job.trouble = trouble
    answered, headers, body = job.get()
    assert (answered, body["error"]) == (status, trouble.code)
    pause = {429: "40", 503: "1"}.get(status)
    assert headers.get("retry-after") == pause
    with pytest.raises(kind) as raised:
        local_endpoint.ask(str(job.path), resource=None, scope=None, is_fresh=False)
    assert (type(raised.value), raised.value.code) == (kind, trouble.code)
    assert raised.value.retry_after == (None if pause is None else int(pause))


def test_a_token_that_a_service_refused_does_not_come_again(job: Job) -> None:
    token = Holder(environ={"HOURMARK_TOKEN_SOCKET": str(job.path)}).fresh_token()
    assert token() == "t1"
    assert token.get(refused="t1").access_token == "t2"
    assert job.get()[2]["access_token"] == "t2", "nor do others get it"


def test_the_client_follows_no_redirect(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("s") / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            opened, _ = listener.accept()
            with opened:
                opened.recv(4096)
                opened.sendall(b"HTTP/1.1 302 Found\r\nLocation: /v1/token\r\nContent-Length: 0\r\n\r\n")

        thread = Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable) as raised:
            local_endpoint.ask(str(path), resource=None, scope=None, is_fresh=False)
        thread.join()
    assert raised.value.code == "no_local_endpoint"


def test_a_path_that_no_socket_can_have(tmp_path: Path) -> None:
    with pytest.raises(HolderError) as raised, TokenServer(tmp_path / ("x" * 120), Job(tmp_path).make):
        pass
    assert (raised.value.code, "TMPDIR" in raised.value.hint) == ("no_local_endpoint", True)


def test_many_are_not_kept_for_ever(job: Job) -> None:
    for number in range(70):
        job.get(path=f"/v1/token?scope=s{number}")
    job.get(path="/v1/token?scope=s69")
    assert len(job.asked) == 70
    job.get(path="/v1/token?scope=s0")
    assert len(job.asked) == 71


def test_which_credential_counts(job: Job, hourmark: Hourmark, tmp_path: Path) -> None:
    """Flag, HOURMARK_TOKEN, HOURMARK_TOKEN_FILE, the job's endpoint, profile."""
    socket_path = str(job.path)
    done = hourmark("login", "token", HOURMARK_TOKEN_SOCKET=socket_path)
    assert (done.code, done.out) == (0, "t1\n")
    assert hourmark("login", "token", "-H", HOURMARK_TOKEN_SOCKET=socket_path).out.startswith(
        "Authorization: "
    )
    for count, environ in enumerate(({}, {"HOURMARK_TOKEN_FILE": str(tmp_path / "none")})):
        shown = hourmark("status", "-o", "json", HOURMARK_TOKEN_SOCKET=socket_path, **environ).json
        sources = [shown["credential"], *(each["source"] for each in shown["hides"])]
        assert sources == ["HOURMARK_TOKEN_FILE", "HOURMARK_TOKEN_SOCKET"][1 - count :]


def test_an_endpoint_that_is_gone(hourmark: Hourmark, tmp_path: Path) -> None:
    done = hourmark("login", "token", "-o", "json", HOURMARK_TOKEN_SOCKET=str(tmp_path / "gone"))
    assert (done.code, done.error["code"]) == (7, "no_local_endpoint")
