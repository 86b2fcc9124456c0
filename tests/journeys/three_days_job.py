"""The program of a job of three days: it asks a service with every kind of client, and is refused by none.

    python three_days_job.py SERVICE STEPS STEP_SECONDS

Its clock is its test's, which the service moves forward when it is asked to. It prints what it saw.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import httpx
import requests

from holder.auth import HttpxAuth, RequestsAuth, fresh_token
from holder.errors import SignInNeeded
from holder.holder import Holder
from keys import base64url

_PATIENCE = 60.0


def read_file(step_seconds: int) -> str:
    """The token in the file, as soon as it lives until the next step; what is there is never dead."""
    path, deadline = Path(os.environ["HOURMARK_ACCESS_TOKEN_FILE"]), time.monotonic() + _PATIENCE
    while True:
        raw = path.read_text()
        ends_at = json.loads(base64url.decode(raw.split(".")[1].encode()))["exp"]
        if ends_at <= time.time():
            raise SystemExit("the token in the file is dead")
        if ends_at > time.time() + step_seconds:
            return raw
        if time.monotonic() > deadline:
            raise SystemExit("nobody replaced the token in the file")
        time.sleep(0.005)


def work(service: str, steps: int, step_seconds: int) -> dict[str, list[int]]:
    """What each client was answered."""
    by_ticket = fresh_token()
    by_socket = Holder(environ={"HOURMARK_TOKEN_SOCKET": os.environ["HOURMARK_TOKEN_SOCKET"]}).fresh_token()
    seen: dict[str, list[int]] = {"httpx": [], "asyncio": [], "requests": [], "file": [], "ended": []}
    loop_client = httpx.AsyncClient(auth=HttpxAuth(by_socket))
    with (
        httpx.Client(auth=HttpxAuth(by_ticket)) as client,
        requests.Session() as session,
        httpx.Client(timeout=_PATIENCE) as plain,
        asyncio.Runner() as loop,
    ):
        session.auth = RequestsAuth(by_ticket)
        for _ in range(steps):
            seen["httpx"].append(client.get(service).status_code)
            seen["asyncio"].append(loop.run(loop_client.get(service)).status_code)
            seen["requests"].append(session.get(service, timeout=_PATIENCE).status_code)
            bearer = {"Authorization": f"Bearer {read_file(step_seconds)}"}
            seen["file"].append(plain.get(service, headers=bearer).status_code)
            plain.post(f"{service}/forward").raise_for_status()
        for _ in range(2):  # the limit passes
            plain.post(f"{service}/forward").raise_for_status()
        for token in (by_ticket, by_socket):
            try:
                token()
            except SignInNeeded:
                seen["ended"].append(401)
        loop.run(loop_client.aclose())
    return seen


if __name__ == "__main__":
    _, where, count, seconds = sys.argv
    sys.stdout.write(json.dumps(work(where, int(count), int(seconds))))
