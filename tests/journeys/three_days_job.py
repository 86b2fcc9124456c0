"""The program of a job of three days: it asks a service with every kind of client, and is refused by none.

    python three_days_job.py SERVICE STEPS STEP_SECONDS

Its clock is its test's, which the service moves forward when it is asked to; it changes the job's labels too.
It prints what it saw.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import requests

from holder import local_endpoint
from holder.auth import HttpxAuth, RequestsAuth, fresh_token
from holder.errors import SignInNeeded
from holder.holder import Holder
from keys import base64url

_PATIENCE = 60.0


def claims(raw: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(base64url.decode(raw.split(".")[1].encode()))
    return said


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"in vain: {what}")
        time.sleep(0.005)


def read_file(file: Path, step_seconds: int) -> str:
    """The token in the file, as soon as it lives until the next step; what is there is never dead."""

    def lives() -> bool:
        ends_at = claims(file.read_text())["exp"]
        if ends_at <= time.time():
            raise SystemExit("the token in the file is dead")
        return bool(ends_at > time.time() + step_seconds)

    until(lives, "another token in the file")
    return file.read_text()


def is_live(way: Callable[[], str]) -> bool:
    """Whether its token has the labels that the job gets in the middle."""
    return bool(claims(way())["labels"].get("stage") == "live")


def ask_socket() -> str:
    path = os.environ["HOURMARK_TOKEN_SOCKET"]
    return local_endpoint.ask(path, resource=None, scope=None, is_fresh=False).access_token


def work(service: str, steps: int, step_seconds: int) -> dict[str, list[int]]:
    """What each client was answered."""
    by_ticket, file = fresh_token(), Path(os.environ["HOURMARK_ACCESS_TOKEN_FILE"])
    inside = {name: os.environ[name] for name in ("HOURMARK_URL", "HOURMARK_TOKEN_SOCKET")}
    by_socket = Holder(environ=inside).fresh_token()
    ways: list[Callable[[], str]] = [by_ticket, by_socket, ask_socket, file.read_text]
    kinds = ("httpx", "asyncio", "requests", "file", "socket", "ended")
    seen: dict[str, list[int]] = {kind: [] for kind in kinds}
    loop_client = httpx.AsyncClient(auth=HttpxAuth(by_socket))
    with (
        httpx.Client(auth=HttpxAuth(by_ticket)) as client,
        requests.Session() as session,
        httpx.Client(timeout=_PATIENCE) as plain,
        asyncio.Runner() as loop,
    ):
        session.auth = RequestsAuth(by_ticket)

        def post(path: str) -> None:
            job = claims(file.read_text())["job"]
            plain.post(f"{service}/{path}", headers={"Job": job}).raise_for_status()

        def plain_get(raw: str) -> int:
            return plain.get(service, headers={"Authorization": f"Bearer {raw}"}).status_code

        for step in range(steps):
            seen["httpx"].append(client.get(service).status_code)
            seen["asyncio"].append(loop.run(loop_client.get(service)).status_code)
            seen["requests"].append(session.get(service, timeout=_PATIENCE).status_code)
            seen["file"].append(plain_get(read_file(file, step_seconds)))
            seen["socket"].append(plain_get(ask_socket()))
            post("forward")
            if step == steps // 2:
                post("labels")
                for way in ways:
                    until(partial(is_live, way), "other labels")
        for _ in range(2):  # the limit passes
            plain.post(f"{service}/forward").raise_for_status()
        for way in ways[:-1]:
            try:
                way()
            except SignInNeeded:
                seen["ended"].append(401)
        until(lambda: not file.exists(), "the end of the file")
        loop.run(loop_client.aclose())
    return seen


if __name__ == "__main__":
    _, where, count, seconds = sys.argv
    sys.stdout.write(json.dumps(work(where, int(count), int(seconds))))
