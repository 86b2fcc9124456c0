"""What a connection may cost: slow, endless and unfinished messages, trailer fields, requests in a row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server

from issuer import connection
from issuer.connection import (
    MAX_BODY_BYTES,
    MAX_DRAINED_BYTES,
    MAX_HEAD_BYTES,
    MAX_WAITING,
    REFUSED,
    BoundedConnection,
)
from tests.running_issuer import free_port

pytestmark = pytest.mark.anyio
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def answer_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without a look at the body."""
    del scope, receive
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def answer_when_read(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers when the body has come, or never."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await answer_at_once(scope, receive, send)


async def answer_late(scope: Scope, receive: Receive, send: Send) -> None:
    """A long poll."""
    await asyncio.sleep(0.5)
    await answer_at_once(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers to what the connection refuses."""
    assert REFUSED in scope
    del receive
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def connected(application: ASGIApp = answer_at_once) -> AsyncIterator[Streams]:
    port = free_port()
    config = Config(application, port=port, http=BoundedConnection, lifespan="off", log_config=None)
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()
    server.should_exit = True
    await serving


async def is_answered(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(3):
        return (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")


async def is_refused(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(3):
        return (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 431")


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Within less than the five seconds after which uvicorn closes an idle connection."""
    try:
        async with asyncio.timeout(3):
            return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", GET[:-2]], ids=["silent", "half a head"])
async def test_a_head_that_takes_too_long_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.1)
    async with connected() as (reader, writer):
        writer.write(sent)
        assert await is_closed(reader)


async def test_a_second_head_has_its_own_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.3)
    async with connected() as (reader, writer):
        for _ in range(3):
            await asyncio.sleep(0.2)
            writer.write(GET)
            assert await is_answered(reader)
        writer.write(b"G")
        assert await is_closed(reader)


async def test_an_endless_head_ends_the_connection() -> None:
    async with connected(refuse) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEAD_BYTES + 1))
        assert await is_refused(reader)
        for _ in range(MAX_DRAINED_BYTES // 65536 + 1):
            writer.write(b"x" * 65536)
        assert await is_closed(reader)


async def test_a_head_that_is_too_long_is_refused_when_its_client_reads_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As most clients: they send all, and then read."""
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.5)
    for long in (b"GET /?" + b"x" * MAX_DRAINED_BYTES, GET[:-2] + b"X: " + b"x" * MAX_DRAINED_BYTES):
        async with connected(refuse) as (reader, writer):
            writer.write(long)
            async with asyncio.timeout(3):
                await writer.drain()
            assert await is_refused(reader)
            assert await is_closed(reader), "and when it does not end, the connection does"


async def test_what_follows_a_refused_head_is_not_looked_at() -> None:
    seen: list[Scope] = []

    async def remember(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await refuse(scope, receive, send)

    async with connected(remember) as (reader, writer):
        writer.write(b"GET /a?" + b"x" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n" + GET * 3)
        assert await is_refused(reader)
        assert await is_closed(reader)
    assert [(scope["method"], scope["path"], scope["query_string"]) for scope in seen] == [("GET", "/a", b"")]


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "second"])
async def test_no_head_at_all_is_not_answered(before: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(before)
        if before:
            assert await is_answered(reader)
        writer.write(b"\r\n" * MAX_HEAD_BYTES)
        assert await is_closed(reader)


async def test_a_body_that_nobody_reads_ends_the_connection() -> None:
    async with connected() as (reader, writer):
        writer.write(POST % 2**30)
        assert await is_answered(reader)
        writer.write(b"x" * (MAX_BODY_BYTES + 1))
        assert await is_closed(reader)


async def test_a_long_body_behind_its_head_is_no_long_head() -> None:
    async with connected() as (reader, writer):
        length = MAX_HEAD_BYTES + 1000
        writer.write(POST % length + b"x" * length)
        assert await is_answered(reader)


async def test_an_empty_line_after_an_answer_begins_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.2)
    async with connected() as (reader, writer):
        writer.write(GET)
        assert await is_answered(reader)
        writer.write(b"\r\n")
        assert await is_closed(reader)


async def test_the_end_of_a_body_after_its_answer_is_no_rest_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.2)
    async with connected() as (reader, writer):
        writer.write(POST % 2)
        assert await is_answered(reader)
        writer.write(b"xx")
        assert await is_closed(reader)


@pytest.mark.parametrize("application", [answer_at_once, answer_when_read])
@pytest.mark.parametrize(
    "sent",
    [
        POST % 400_000 + b"x",
        CHUNKED,
        CHUNKED + b"1\r\nx\r\n",
        CHUNKED + b"0\r\n",
        CHUNKED + b"0\r\nX: y",
    ],
    ids=["short", "no chunk", "no last chunk", "no end", "half a trailer"],
)
async def test_a_body_has_one_deadline_however_often_bytes_come(
    monkeypatch: pytest.MonkeyPatch, application: ASGIApp, sent: bytes
) -> None:
    monkeypatch.setattr(connection, "BODY_DEADLINE", 0.3)
    async with connected(application) as (reader, writer):
        begun = asyncio.get_running_loop().time()
        for byte in sent:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.001)
        if application is answer_at_once:
            assert await is_answered(reader)
        assert await is_closed(reader)
        assert asyncio.get_running_loop().time() - begun < 2


async def test_bytes_within_a_body_do_not_move_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_DEADLINE", 0.3)
    async with connected(answer_when_read) as (reader, writer):
        writer.write(POST % 400_000)
        closed = asyncio.create_task(is_closed(reader))
        for _ in range(20):
            if not closed.done():
                writer.write(b"x")
                await asyncio.sleep(0.05)
        assert closed.done()
        assert await closed


@pytest.mark.parametrize("trailer", [b"0\r\nX: ", b"1;"], ids=["trailer", "chunk extension"])
async def test_what_is_no_body_within_a_body_is_bounded_too(trailer: bytes) -> None:
    async with connected(answer_when_read) as (reader, writer):
        writer.write(CHUNKED + trailer)
        for _ in range(MAX_BODY_BYTES // 65536 + 1):
            writer.write(b"x" * 65536)
        assert await is_closed(reader)


async def test_a_header_value_in_many_reads_is_bounded() -> None:

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (refuse if REFUSED in scope else answer_at_once)(scope, receive, send)

    async with connected(answer) as (reader, writer):
        writer.write(GET + GET[:-2] + b"X: ")
        assert await is_answered(reader)
        for _ in range(MAX_HEAD_BYTES // 1024 + 1):
            writer.write(b"x" * 1024)
            await asyncio.sleep(0)
        assert await is_refused(reader)


async def test_a_long_head_behind_a_request_under_way_ends_the_connection() -> None:
    async with connected(answer_late) as (reader, writer):
        writer.write(GET + GET[:-2] + b"X: " + b"x" * (MAX_HEAD_BYTES + 8192))
        assert await is_closed(reader)


async def test_a_head_of_almost_that_length_is_read_whole() -> None:
    seen: list[Scope] = []

    async def remember(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await answer_at_once(scope, receive, send)

    async with connected(remember) as (reader, writer):
        value = b"x" * (MAX_HEAD_BYTES - len(GET) - 10)
        writer.write(GET[:-2] + b"X: " + value + b"\r\n\r\n")
        assert await is_answered(reader)
    assert (b"x", value) in seen[0]["headers"]


@pytest.mark.parametrize("end", [b"\r\n", b"X: y\r\n\r\n", b""], ids=["last", "of two", "alone"])
async def test_a_trailer_field_is_never_seen(end: bytes) -> None:
    seen: list[Scope] = []
    bodies: list[bool] = []

    async def remember(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        while (message := await receive()).get("more_body"):
            pass
        bodies.append(message["type"] == "http.request")
        if bodies[-1]:
            await answer_at_once(scope, receive, send)

    async with connected(remember) as (reader, writer):
        writer.write(CHUNKED + b"1\r\nx\r\n0\r\nAuthorization: Bearer x\r\n" + end)
        if not end:
            await asyncio.sleep(0.1)
            writer.write(b"\r\n")
        writer.write(GET)
        assert await is_closed(reader)
    assert [name for scope in seen for name, _ in scope["headers"]] == [b"host", b"transfer-encoding"]
    assert bodies == [False], "and a message with one is as good as cut off"


async def test_requests_in_a_row_are_answered_in_a_row() -> None:
    async with connected(answer_when_read) as (reader, writer):
        writer.write(GET + POST % 2 + b"xx" + CHUNKED + b"1\r\nx\r\n0\r\n\r\n" + GET)
        for _ in range(4):
            assert await is_answered(reader)


async def test_too_many_requests_in_a_row_end_the_connection() -> None:
    async with connected(answer_late) as (reader, writer):
        writer.write(GET * (MAX_WAITING + 2))
        assert await is_closed(reader)


async def test_a_connection_goes_on_after_a_body_with_no_deadline_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.2)
    monkeypatch.setattr(connection, "BODY_DEADLINE", 0.2)
    async with connected(answer_when_read) as (reader, writer):
        for _ in range(2):
            writer.write(POST % 2)
            await asyncio.sleep(0.05)
            writer.write(b"xx")
            assert await is_answered(reader)
            await asyncio.sleep(0.3)
        writer.write(GET)
        assert await is_answered(reader)


@pytest.mark.parametrize("behind", [b"", b"\r\n", GET, GET[:-2]], ids=["alone", "line", "request", "half"])
async def test_a_long_poll_is_not_cut(monkeypatch: pytest.MonkeyPatch, behind: bytes) -> None:
    monkeypatch.setattr(connection, "HEAD_DEADLINE", 0.2)
    monkeypatch.setattr(connection, "BODY_DEADLINE", 0.2)
    async with connected(answer_late) as (reader, writer):
        writer.write(GET)
        await asyncio.sleep(0.05)
        writer.write(behind)
        for _ in range(2 if behind == GET else 1):
            assert await is_answered(reader)


LONG = b"x" * 2**24
"""More than what the kernel takes from a server for a client that does not read."""


async def answer_at_length(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    length = (b"content-length", str(len(LONG)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": LONG})


async def read_all(reader: asyncio.StreamReader) -> int:
    """How much comes until the end of the body or of the connection."""
    await reader.readuntil(b"\r\n\r\n")
    read = 0
    while read < len(LONG):
        try:
            piece = await reader.read(2**16)
        except ConnectionResetError:
            break
        if not piece:
            break
        read += len(piece)
    return read


@pytest.mark.parametrize(("deadline", "is_cut"), [(0.2, True), (20.0, False)])
async def test_a_client_that_does_not_read_loses_its_connection(
    monkeypatch: pytest.MonkeyPatch, deadline: float, is_cut: bool
) -> None:
    monkeypatch.setattr(connection, "READ_DEADLINE", deadline)
    async with connected(answer_at_length) as (reader, writer):
        writer.write(GET)
        await asyncio.sleep(0.6)
        assert (await read_all(reader) < len(LONG)) == is_cut
