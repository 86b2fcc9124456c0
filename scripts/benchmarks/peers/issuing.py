"""Issuers of others, on a free port and with one client, as ours has one role key in use."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks import installed, servers


@dataclass(frozen=True, slots=True)
class PeerIssuer:
    """A running one."""

    token_url: str
    key: tuple[str, str] = field(repr=False)
    """Name and secret of its client."""


@contextmanager
def oidc_provider(folder: Path) -> Iterator[PeerIssuer]:
    port, key = servers.free_port(), _client()
    command = [installed.node_peers(), str(installed.PEERS / "oidc_provider.mjs")]
    url = f"http://127.0.0.1:{port}/token"
    log = folder / "oidc-provider.log"
    with servers.serving(command, url, log, PORT=str(port), NODE_ENV="production", **_settings(key)):
        yield PeerIssuer(url, key)


@contextmanager
def authlib_on_flask(folder: Path) -> Iterator[PeerIssuer]:
    port, key = servers.free_port(), _client()
    # One process with threads: a synchronous worker of gunicorn would close every connection.
    command = [
        *(str(installed.python_peers().with_name("gunicorn")), "--chdir", str(installed.PROJECT)),
        *("--worker-class", "gthread", "--workers", "1", "--threads", "4"),
        *("--bind", f"127.0.0.1:{port}", "--log-level", "warning"),
        "scripts.benchmarks.peers.authlib_flask:make_app()",
    ]
    url = f"http://127.0.0.1:{port}/v1/token"
    insecure = {"AUTHLIB_INSECURE_TRANSPORT": "1"}  # loopback has no TLS
    with servers.serving(command, url, folder / "flask.log", **insecure, **_settings(key)):
        yield PeerIssuer(url, key)


def _client() -> tuple[str, str]:
    return "benchmark", secrets.token_urlsafe(32)


def _settings(key: tuple[str, str]) -> dict[str, str]:
    return {"CLIENT_ID": key[0], "CLIENT_SECRET": key[1]}
