"""What a healthy issuer does not show over a socket: faults, slow bodies, the work behind a refusal."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from issuer import body, credentials
from issuer.body import read_form
from issuer.credentials import Credentials, InvalidCredential
from issuer.settings import Settings
from issuer.setup import initialise, open_database, read_key_encryption_key
from issuer.telemetry import RequestLog
from keys import RoleKey

SECRET = "a-secret-that-an-exception-quotes"
Handler = Callable[[Request], Awaitable[Response]]


async def ask(path: str, handler: Handler) -> httpx.Response:
    """One request to an app of this one handler behind the door through which every refusal leaves."""
    app = Starlette(routes=[Route(path, handler, methods=["POST"])], middleware=[Middleware(RequestLog)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://issuer") as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Request-Id": "abcdef-1"}
        return await client.post(path, headers=headers)


async def broken(request: Request) -> Response:
    raise RuntimeError(f"{request.url} {SECRET}")


@pytest.mark.anyio
async def test_a_fault_says_nothing_of_itself(capfd: pytest.CaptureFixture[str]) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await ask("/v1/roles", broken)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:hourmark:error:server_error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "something went wrong here",
        "code": "server_error",
        "request_id": "abcdef-1",
    }
    # Whoever runs the service finds the reason by the request's id.
    assert [(line["event"], line["request_id"]) for line in lines] == [("server_error", "abcdef-1")]
    await anyio.lowlevel.checkpoint()  # lines are written once a turn of the event loop
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert (line["event"], line["request_id"]) == ("request", "abcdef-1")
    assert (line["status"], line["refused"]) == (500, "server_error")


@pytest.mark.anyio
async def test_a_fault_at_an_oauth_endpoint_speaks_oauth() -> None:
    with structlog.testing.capture_logs():
        answer = await ask("/v1/token", broken)
    assert answer.status_code == 500
    assert answer.json() == {"error": "server_error", "error_description": "something went wrong here"}
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.anyio
async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "DEADLINE", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"grant_type="
        await asyncio.Event().wait()

    async def handler(request: Request) -> Response:
        # The client of the tests sends whole bodies only, so this one is read past it.
        slow = Request(request.scope, receive_from(never()))
        return PlainTextResponse(json.dumps(await read_form(slow)))

    with structlog.testing.capture_logs():
        answer = await ask("/v1/token", handler)
    assert (answer.status_code, answer.json()["error"]) == (408, "invalid_request")
    assert answer.headers["connection"] == "close"


def receive_from(pieces: AsyncIterator[bytes]) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": await anext(pieces), "more_body": True}

    return receive


def test_every_refusal_of_a_credential_costs_the_same_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path)
    made = initialise(settings, "admin").role_key
    database = open_database(settings)
    known = Credentials(database, read_key_encryption_key(settings))
    known.load_hash_keys()
    hashed: list[int] = []
    compare = credentials._is_hash

    def counted(text: bytes, begun: hmac.HMAC, expected: bytes) -> bool:
        hashed.append(begun.digest_size + len(expected))
        return compare(text, begun, expected)

    monkeypatch.setattr(credentials, "_is_hash", counted)
    refused = {
        "wrong secret": RoleKey.generate(made.access).reveal(),
        "unknown access id": RoleKey.generate().reveal(),
        "mistyped": made.reveal()[:-1] + ("x" if made.secret[-1] != "x" else "y"),
        "cut off": made.reveal()[:-7],
        "not a role key": "nope:x",
    }

    async def prove_all() -> None:
        for text in refused.values():
            with pytest.raises(InvalidCredential):
                await known.prove(text, time.time())
        assert (await known.prove(made.reveal(), time.time())).client_id == made.access

    anyio.run(prove_all)
    database.close()
    assert len(hashed) == len(refused) + 1
    assert len(set(hashed)) == 1
