"""An issuer, a real app, and a real proxy of each kind in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import clients, doors
from tests.browser import conftest as browsers
from tests.issuer.http.world import World, open_world
from tests.journeys.door.proxies import KINDS, Proxy, serve_app, serve_proxy
from tests.running_issuer import free_port

browser, new_page, page = browsers.browser, browsers.new_page, browsers.page


@dataclass(frozen=True)
class House:
    """An app behind its proxy."""

    world: World
    proxy: Proxy
    name: str
    app: clients.App
    is_secure: bool = False

    @property
    def host(self) -> str:
        return self.proxy.host(self.name, is_secure=self.is_secure)

    @property
    def url(self) -> str:
        return f"{'https' if self.is_secure else 'http'}://{self.host}"

    def client(self, credential: str = "", **headers: str) -> httpx.Client:
        """A program's, with a credential or without."""
        shown = {"Authorization": f"Bearer {credential}"} if credential else {}
        return self.proxy.client(self.name, **shown, **headers)

    def seen(self, credential: str, **headers: str) -> dict[str, list[str]]:
        """The headers of such a request as the app sees them."""
        with self.client(credential, **headers) as client:
            answer = client.get("/headers")
        assert answer.status_code == 200, answer.text
        return by_name(answer.json())

    def exchange(self, line: str, *headers: str, body: bytes = b"") -> bytes:
        """What is answered to a head that is written by hand, on a connection of its own."""
        head = "\n".join((line, f"Host: {self.host}", *headers, "Connection: close", "", ""))
        return self.proxy.exchange(head, body)


def by_name(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


NewHouse = Callable[..., House]
StartProxy = Callable[..., Proxy]
TRUSTED = "127.0.0.77"
"""Where a proxy needs no secret."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """At a name: browsers keep cookies with a prefix there."""
    port = str(free_port())
    settings = {"HOURMARKD_PORT": port, "HOURMARKD_ISSUER": f"http://localhost:{port}"} | doors.SETTINGS
    settings["HOURMARKD_FORWARD_AUTH_PROXIES"] = TRUSTED
    with open_world(tmp_path_factory.mktemp("door"), **settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def proxies(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartProxy]:
    """Starts one of a kind, at an address or with a secret, once."""
    running: dict[tuple[str, str], Proxy] = {}
    with ExitStack() as stack:
        backend = stack.enter_context(serve_app(world.issuer.url))

        def start(kind: str, address: str = "") -> Proxy:
            if (kind, address) not in running:
                folder = tmp_path_factory.mktemp(kind)
                served = serve_proxy(kind, world.issuer, folder, backend, address=address)
                running[kind, address] = stack.enter_context(served)
            return running[kind, address]

        yield start


@pytest.fixture(params=KINDS)
def new_house(world: World, proxies: StartProxy, request: pytest.FixtureRequest) -> NewHouse:
    """Registers apps at hosts of their own, behind a proxy of each kind."""
    return house_builder(world, proxies(request.param))


def house_builder(world: World, proxy: Proxy) -> NewHouse:

    def make(name: str = "", *, is_secure: bool = False, **members: Any) -> House:
        given = {"scope": ""} | members
        name = name or f"a{uuid4().hex[:12]}"
        host = proxy.host(name, is_secure=is_secure)
        return House(world, proxy, name, clients.register(world, host=host, **given), is_secure)

    return make


@pytest.fixture
def house(new_house: NewHouse) -> House:
    return new_house()
