"""What a proxy is told about a known token or role key: in one process, against a route that does nothing.

Without sockets and servers, which cost both the same and more than what is compared.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Scope

from issuer.app import make_app
from issuer.settings import Settings
from scripts.benchmarks.issuing import Initialised, initialise
from scripts.benchmarks.measure import Benchmark, CannotMeasure, Extent, Measure, Round

_PATH, _HOST, _ROLE = "/v1/forward-auth", "notes.example", "org.account.visitor"
_SECRET = "p" * 43
_TURN = 100
"""Requests at a time; between two the issuer looks for changes, or it would stop answering."""
_NOOP, _TOKEN, _KEY = "no-op µs", "known token µs", "known role key µs"


@contextmanager
def _prepare(extent: Extent) -> Iterator[Callable[[], Round]]:
    requests = 1_000 if extent.quick else 5_000
    with TemporaryDirectory() as folder, asyncio.Runner() as runner, _quiet():
        initialised = initialise(Path(folder))
        yield lambda: runner.run(_round(initialised, requests))


async def _round(initialised: Initialised, requests: int) -> Round:
    settings = Settings(
        data_dir=initialised.folder / "data",
        issuer=initialised.url,
        port=int(initialised.url.rpartition(":")[2]),
        forward_auth_secret=SecretStr(_SECRET),
    )
    async with _running(make_app(settings)) as issuer:
        token, key = await _credentials(issuer, initialised)
        noop = Starlette(routes=[Route(_PATH, _nothing)])
        ways: dict[str, tuple[ASGIApp, Scope]] = {
            _NOOP: (noop, _asked(initialised.url, token)),
            _TOKEN: (issuer, _asked(initialised.url, token)),
            _KEY: (issuer, _asked(initialised.url, key)),
        }
        spent = dict.fromkeys(ways, 0.0)
        for _ in range(requests // _TURN):
            for name, (app, scope) in ways.items():
                await asyncio.sleep(0.001)
                began = time.perf_counter()
                for _ in range(_TURN):
                    await app(dict(scope), _receive, _send)
                spent[name] += time.perf_counter() - began
        return {name: seconds * 1_000_000 / requests for name, seconds in spent.items()}


async def _credentials(issuer: ASGIApp, initialised: Initialised) -> tuple[str, str]:
    """A token and a role key that open an app. Raises CannotMeasure unless they do."""
    admin = {"Authorization": f"Bearer {':'.join(initialised.admin)}"}
    transport = httpx.ASGITransport(issuer)
    async with httpx.AsyncClient(transport=transport, base_url=initialised.url, headers=admin) as http:
        await http.post("/v1/roles", json={"name": _ROLE})
        permission = {"permission": "app:query@*[group=A]"}
        await http.post(f"/v1/roles/{_ROLE}/policies", json=permission)
        await http.post("/v1/apps", json={"name": "notes", "host": _HOST, "labels": {"group": "A"}})
        made = (await http.post(f"/v1/roles/{_ROLE}/keys", json={})).raise_for_status().json()
        pair = (made["access"], made["secret"])
        form = {"grant_type": "client_credentials"}
        exchanged = (await http.post("/v1/token", auth=pair, data=form)).raise_for_status().json()
        found = exchanged["access_token"], ":".join(pair)
        for credential in found:
            asked = {name.decode(): value.decode() for name, value in _headers(initialised.url, credential)}
            if not (answer := await http.get(_PATH, headers=asked)).is_success:
                raise CannotMeasure(f"the door does not open: {answer.status_code} {answer.text}")
    return found


@asynccontextmanager
async def _running(app: ASGIApp) -> AsyncIterator[ASGIApp]:
    """Started and stopped as a server does (ASGI's lifespan)."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    has_started = asyncio.Event()

    async def send(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            has_started.set()

    life = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, told.get, send))
    await told.put({"type": "lifespan.startup"})
    await has_started.wait()
    yield app
    await told.put({"type": "lifespan.shutdown"})
    await life


def _asked(url: str, credential: str) -> Scope:
    """As nginx asks."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": _PATH,
        "raw_path": _PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": _headers(url, credential),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
    }


def _headers(url: str, credential: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"host", url.partition("//")[2].encode()),
        (b"hourmark-proxy-secret", _SECRET.encode()),
        (b"x-original-url", f"https://{_HOST}/today?page=2".encode()),
        (b"x-original-method", b"GET"),
        (b"x-forwarded-for", b"192.0.2.1"),
        (b"accept", b"*/*"),
        (b"user-agent", b"curl/8.5.0"),
        (b"cookie", b"session=of-the-app; theme=dark"),
        (b"authorization", f"Bearer {credential}".encode()),
    ]


async def _nothing(request: Request) -> Response:
    del request
    return Response()


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    del message


@contextmanager
def _quiet() -> Iterator[None]:
    """The issuer's lines are written, as they are in a server, and read by nobody."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


BENCHMARK = Benchmark(
    name="door",
    measures=(
        Measure(name="door, known token ÷ no-op", of=_TOKEN, over=_NOOP),
        Measure(name="door, known role key ÷ no-op", of=_KEY, over=_NOOP),
    ),
    prepare=_prepare,
)
