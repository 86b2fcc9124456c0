"""An OpenID provider that nobody here wrote: npm's oidc-provider, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browsers import Browser
from tests.running_issuer import free_port

_NODE = Path(__file__).parent / "node"
_CLIENT = {"client_id": "hourmark", "client_secret": "what the provider gave to the operator"}


@dataclass(frozen=True)
class Provider:
    """One that runs, and what an issuer's settings have to say of it."""

    url: str
    settings: dict[str, Any] = field(repr=False)

    def through(self, target: str, claims: Mapping[str, object] | None) -> str:
        """The way of a browser that an issuer sent to `target`, and says there who it is by its claims.

        None says no. Returns the path at the issuer that leads back.
        """
        with Browser(self.url) as there:
            question = path_of(there.get(path_of(target)).headers["location"])
            there.get(question)
            said = there.send(question, {"claims": "" if claims is None else json.dumps(claims)})
            return path_of(there.get(path_of(said.headers["location"])).headers["location"])


@contextmanager
def start_provider(
    callback: str, *, conforms: bool = True, algorithm: str = "ES256", **settings: object
) -> Iterator[Provider]:
    """With one client, the issuer whose `callback` it is.

    conforms: whether the claims of users are told at its userinfo endpoint alone (OpenID Connect Core section
    5.4); else the ID token holds them too. settings: of the issuer, beyond what every provider needs.
    """
    if shutil.which("node") is None:
        pytest.skip("no node: install it")
    if not (_NODE / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("oidc-provider is not installed: npm ci --prefix tests/journeys/node")
    url = f"http://127.0.0.1:{free_port()}"
    asked = _CLIENT | {"issuer": url, "redirect_uri": callback, "conforms": conforms, "algorithm": algorithm}
    process = subprocess.Popen(
        ["node", _NODE / "provider.mjs", json.dumps(asked)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "the provider did not start"
        yield Provider(url, _CLIENT | {"issuer": url} | settings)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def path_of(url: str) -> str:
    """With its query, if it has one."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
