"""A job's local endpoint: who may ask, what is answered, and that nobody else gets near it."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

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
                "X-Anything-That-Comes-Next",
                "Authorization",
                "Cookie",
                "Transfer-Encoding",
                "Content-Length",
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


@pytest.mark.parametrize(
    "sent",
    [
        ["User-Agent: curl/8.5.0", "Accept: */*"],
        [
            "User-Agent: python-requests/2.32",
            "Accept-Encoding: gzip",
            "Accept: */*",
            "Connection: keep-alive",
        ],
        ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"],
        [
            "accept: */*",
            "accept-language: *",
            "user-agent: node",
            "Cache-Control: no-cache",
            "Pragma: no-cache",
        ],
        ["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate: a=b"],
    ],
    ids=["curl", "requests", "Go", "node", "traced"],
)
def test_what_clients_send_by_themselves_is_no_reason_to_refuse(job: Job, sent: list[str]) -> None:
    assert job.get(*GOOD, *sent)[0] == 200


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
