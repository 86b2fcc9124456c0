"""What a connection may cost: a slow or endless head, a body that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server

from issuer import connection
from issuer.connection import MAX_BODY_BYTES, MAX_HEAD_BYTES, BoundedConnection
from tests.running_issuer import free_port

pytestmark = pytest.mark.anyio
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without a look at the body."""
    del scope, receive
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def connected() -> AsyncIterator[Streams]:
    port = free_port()
    config = Config(answer_at_once, port=port, http=BoundedConnection, lifespan="off", log_config=None)
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()
    server.should_exit = True
    await serving


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(5):
            return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["silent", "half a head"])
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
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        writer.write(b"G")
        assert await is_closed(reader)


async def test_an_endless_head_ends_the_connection() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEAD_BYTES + 1))
        assert await is_closed(reader)


async def test_a_body_that_nobody_reads_ends_the_connection() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        writer.write(b"x" * (MAX_BODY_BYTES + 1))
        assert await is_closed(reader)


async def test_a_long_body_behind_its_head_is_no_long_head() -> None:
    async with connected() as (reader, writer):
        length = MAX_HEAD_BYTES + 1000
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + b"x" * length)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
