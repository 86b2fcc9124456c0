"""What does not end with one short answer, through real proxies: sockets, streams, uploads, connections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import socket

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, RejectConnection, Request, TextMessage

from tests.doors import api_token
from tests.journeys.door.conftest import House
from tests.journeys.door.walking import walk_in


@dataclass
class WebSocket:
    """A client's end of a connection that asks for WebSocket (RFC 6455)."""

    transport: socket
    protocol: WSConnection = field(default_factory=lambda: WSConnection(ConnectionType.CLIENT))

    def send(self, event: Event) -> None:
        self.transport.sendall(self.protocol.send(event))

    def receive(self) -> Event:
        while (event := next(self.protocol.events(), None)) is None:
            self.protocol.receive_data(self.transport.recv(65536) or None)
        return event

    def hear(self, characters: int) -> str:
        """A text of this length, in as many parts as it comes."""
        said = ""
        while len(said) < characters:
            event = self.receive()
            assert isinstance(event, TextMessage), event
            said += event.data
        return said


@contextmanager
def talking(house: House, **headers: str) -> Iterator[WebSocket]:
    with house.proxy.raw("") as transport:
        opened = WebSocket(transport)
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        opened.send(Request(house.proxy.host(house.name), "/talk", extra_headers=sent))
        yield opened


@pytest.mark.parametrize("form", ["token", "role key", "visit"])
def test_a_socket_opens_with_a_credential(house: House, form: str) -> None:
    key = house.world.holder("app:query@*")
    if form == "visit":
        shown = {"Cookie": walk_in(house, key.text), "Origin": house.url}
    else:
        shown = {"Authorization": f"Bearer {house.world.token(key) if form == 'token' else key.text}"}
    with talking(house, **shown) as opened:
        assert isinstance(opened.receive(), AcceptConnection)
        for text in ("hello", "x" * 100_000):
            opened.send(TextMessage(text))
            expected = f"role:{key.role} says {text}"
            assert opened.hear(len(expected)) == expected
        opened.send(CloseConnection(1000))
        assert isinstance(opened.receive(), CloseConnection)


@pytest.mark.parametrize(
    "shown", [{}, {"Authorization": "Bearer x"}, {"Cookie": "hourmark-visit=x"}], ids=str
)
def test_no_socket_opens_without_one(house: House, shown: dict[str, str]) -> None:
    with talking(house, **shown) as refused:
        answer = refused.receive()
        assert isinstance(answer, RejectConnection)
        assert answer.status_code == 401


def test_a_stream_is_heard_while_it_goes_on(house: House) -> None:
    """The first event comes though there is never a second."""
    key = house.world.holder("app:query@*")
    with house.client(key.text) as client, client.stream("GET", "/events") as answer:
        assert next(answer.iter_lines()) == f"data: role:{key.role}"


@pytest.mark.parametrize("size", [100_000, 4_000_000], ids=["some", "much"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "in chunks"])
def test_an_upload_goes_through_and_nothing_of_it_is_lost(house: House, size: int, is_chunked: bool) -> None:
    """As much as the app's own place in the configuration lets through."""
    key = house.world.holder("app:query@*")
    content = iter([b"x" * (size // 10)] * 10) if is_chunked else b"x" * size
    with house.client(key.text) as client:
        assert client.post("/posted?a=%2F&b=c", content=content).json() == {"characters": size}
        # Nobody waits for a body that is not wanted.
        assert client.post("/headers", content=b"x").status_code == 405


def test_each_request_of_a_connection_is_asked_about(house: House) -> None:
    """Whoever was let in by one is not let in by the next."""
    mine, other = (house.world.holder("app:query@*") for _ in range(2))
    with house.client() as client:
        for key in (mine, None, other, None, mine):
            shown = {} if key is None else {"Authorization": f"Bearer {key.text}"}
            answer = client.get("/", headers=shown)
            if key is None:
                assert answer.status_code == 401
            else:
                assert f"role:{key.role}" in answer.text


def test_all_at_once_on_one_connection_too(house: House) -> None:
    key = house.world.holder("app:query@*")
    host, shown = f"Host: {house.proxy.host(house.name)}\n", f"Authorization: Bearer {key.text}\n"
    requests = (f"{host}{shown}", host, f"{host}{shown}Connection: close\n")
    answer = house.proxy.exchange("".join(f"GET / HTTP/1.1\n{request}\n" for request in requests))
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"401", b"200"]
    assert answer.count(f"role:{key.role}".encode()) == 2


def test_what_is_let_in_stays_open_when_its_credential_ends_and_is_not_opened_again(house: House) -> None:
    """A socket was asked about once."""
    token = api_token(house.world)
    shown = {"Authorization": f"Bearer {token['token']}"}
    with talking(house, **shown) as opened:
        assert isinstance(opened.receive(), AcceptConnection)
        house.world.admin.delete(f"/v1/tokens/{token['id']}").raise_for_status()
        opened.send(TextMessage("still here"))
        assert opened.hear(1).endswith("says still here")
    with talking(house, **shown) as refused:
        assert isinstance(refused.receive(), RejectConnection)
