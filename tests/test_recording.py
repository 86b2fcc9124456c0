"""What an issuer's process writes down of its answers; other processes do nothing for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.recorded import Recorded
from tests.recording import sitecustomize
from tests.recording.answer_recorder import Recorder

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"etag", b"\xe4")]}


def answering(*messages: Message, error: Exception | None = None) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return app


async def receive() -> Message:
    return {"type": "http.disconnect"}


SCOPE = {"type": "http", "method": "GET", "path": "/\xe4", "raw_path": b"/%C3%A4"}
PIECES: tuple[Message, ...] = (
    {"type": "http.response.body", "body": b"one, ", "more_body": True},
    {"type": "http.response.body", "body": b"two"},
)


@pytest.mark.anyio
async def test_the_line_is_there_before_the_end_of_the_answer(tmp_path: Path) -> None:
    seen, lines = Recorded(tmp_path), []

    async def send(message: Message) -> None:
        lines.append((message["type"], [answer.body for answer in seen.new()]))

    await Recorder(answering(START, *PIECES), str(tmp_path))(SCOPE, receive, send)
    assert lines == [
        ("http.response.start", []),
        ("http.response.body", []),
        ("http.response.body", [b"one, two"]),
    ]


async def ignore(_: Message) -> None:
    """Sends nothing to nobody."""


@pytest.mark.anyio
async def test_the_line_is_there_before_the_head_of_an_answer_that_has_no_more(tmp_path: Path) -> None:
    seen, lines = Recorded(tmp_path), []

    async def send(message: Message) -> None:
        lines.append((message["type"], len(list(seen.new()))))

    await Recorder(answering(START, {"type": "http.response.body"}), str(tmp_path))(SCOPE, receive, send)
    assert lines == [("http.response.start", 1), ("http.response.body", 0)]


@pytest.mark.anyio
async def test_what_was_begun_and_not_ended_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        await Recorder(answering(START, PIECES[0], error=ConnectionError()), str(tmp_path))(
            SCOPE, receive, ignore
        )
    assert not list(Recorded(tmp_path).new())


@pytest.mark.anyio
async def test_what_the_server_says_for_an_application_that_does_not_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        await Recorder(answering(error=ConnectionError()), str(tmp_path))(SCOPE, receive, ignore)
    assert [str(answer) for answer in Recorded(tmp_path).new()] == ["GET /\xe4 -> 500"]


@pytest.mark.anyio
async def test_what_is_no_request_passes(tmp_path: Path) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    complete: Message = {"type": "lifespan.startup.complete"}
    await Recorder(answering(complete), str(tmp_path))({"type": "lifespan"}, receive, send)
    assert sent == [complete]
    assert not list(Recorded(tmp_path).new())


@pytest.mark.parametrize("recording", [True, False])
def test_a_process_waits_for_an_issuer_only_where_answers_are_recorded(recording: bool) -> None:
    environment = dict(os.environ)
    if not recording:
        del environment[sitecustomize.NAME]
    program = "import sys; print([each.__module__ for each in sys.meta_path if type(each) is type][0])"
    program += "; print('answer_recorder' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    first, is_loaded = done.stdout.split()
    assert (first == "sitecustomize", is_loaded) == (recording, "False")
