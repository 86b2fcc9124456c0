"""Whoever asks a live issuer compares its answers, or is named here with the reason why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.vectors import PROJECT

_ASK = {
    *(f"httpx.{name}" for name in ("Client", "AsyncClient", "request", "stream", "get", "head", "options")),
    *(f"httpx.{name}" for name in ("post", "put", "patch", "delete")),
    *("socket.create_connection", "asyncio.open_connection", "http.client.HTTPConnection"),
    *("urllib.request.urlopen", "jwt.PyJWKClient"),
}
_MODULES = {name.rpartition(".")[0] for name in _ASK}
_HOOKS = ("HOOKS", "described.HOOKS")

UNCOMPARED = {
    ("tests/issuer/http/sockets.py", "socket.create_connection"): "what no client library sends or reads",
    ("tests/issuer/http/test_refused_inside.py", "httpx.AsyncClient"): "no issuer: handlers behind ASGI",
    ("tests/issuer/http/test_token_requests.py", "jwt.PyJWKClient"): "a verifier that nobody here wrote",
    ("tests/issuer/test_connection.py", "asyncio.open_connection"): "no issuer: a handler behind uvicorn",
    ("tests/journeys/test_other_verifiers.py", "jwt.PyJWKClient"): "a verifier that nobody here wrote",
}


def uncompared(source: str) -> Iterator[str]:
    """How this source asks somebody without the hook."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in _MODULES:
            yield from {f"{node.module}.{name.name}" for name in node.names} & _ASK
        elif isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in _ASK:
            hooks = [ast.unparse(each.value) for each in node.keywords if each.arg == "event_hooks"]
            if not hooks or hooks[0] not in _HOOKS:
                yield called


def test_every_client_compares_or_says_why_not() -> None:
    found = {
        (str(path.relative_to(PROJECT)), called)
        for path in (PROJECT / "tests").rglob("*.py")
        for called in uncompared(path.read_text())
    }
    assert found == UNCOMPARED.keys()


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("httpx.Client(base_url=url, event_hooks=HOOKS)", []),
        ("httpx.Client(event_hooks=described.HOOKS)", []),
        ("answer.status_code == httpx.codes.OK", []),
        ("def ask(client: httpx.Client) -> httpx.Response: ...", []),
        ("httpx.Client(base_url=url)", ["httpx.Client"]),
        ("httpx.Client(event_hooks={})", ["httpx.Client"]),
        ("with httpx.stream('GET', url) as answer: ...", ["httpx.stream"]),
        ("httpx.get(url).raise_for_status().content", ["httpx.get"]),
        ("from httpx import Client", ["httpx.Client"]),
        ("from httpx import get", ["httpx.get"]),
        ("urllib.request.urlopen(url)", ["urllib.request.urlopen"]),
        ("socket.create_connection(address)", ["socket.create_connection"]),
    ],
)
def test_what_is_seen(source: str, seen: list[str]) -> None:
    assert list(uncompared(source)) == seen
