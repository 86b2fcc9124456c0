"""What the network of outside issuers withstands: names that lead elsewhere, now or a moment later."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from issuer.outside.address import Addresses, RefusedAddress
from issuer.outside.discovery import CheckedAddresses
from issuer.outside.issuers import OutsideIssuers
from tests.certificates import self_signed
from tests.outside_issuer import DISCOVERY, OutsideIssuer, outside_issuer

pytestmark = pytest.mark.anyio
HERE = Addresses.within(["127.0.0.1"])
NAME = "issuer.test"


class Names:
    """A name server whose answers are these, one after another; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def getaddrinfo(self, host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        """As the event loop's."""
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(2, 1, 6, "", (address, port)) for address in answer]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    def answer(*answers: list[str]) -> Names:
        there = Names(*answers)
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", there.getaddrinfo)
        return there

    return answer


@pytest.fixture
def there() -> Iterator[OutsideIssuer]:
    with outside_issuer() as running:
        yield running


async def get(url: str, addresses: Addresses = HERE) -> httpx.Response:
    async with httpx.AsyncClient(transport=CheckedAddresses(addresses)) as client:
        return await client.get(url)


def at_name(issuer: OutsideIssuer) -> str:
    return issuer.url.replace("127.0.0.1", NAME) + DISCOVERY


async def test_it_goes_to_the_address_that_was_checked_under_the_name(
    there: OutsideIssuer, names: Callable[..., Names]
) -> None:
    asked = names(["127.0.0.1"])
    assert (await get(at_name(there))).status_code == 200
    assert there.hosts[0].startswith(f"{NAME}:")
    assert asked.asked.count(NAME) == 1


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.2"])
async def test_a_name_that_leads_inside_is_refused(
    there: OutsideIssuer, names: Callable[..., Names], address: str
) -> None:
    names([address])
    with pytest.raises(RefusedAddress):
        await get(at_name(there))
    assert not there.asked


async def test_a_name_that_leads_elsewhere_at_the_second_time_is_asked_once(
    there: OutsideIssuer, names: Callable[..., Names]
) -> None:
    """Whoever answers for the name would tell the check one address and the connection another."""
    asked = names(["127.0.0.1"], ["127.0.0.2"])
    assert (await get(at_name(there))).status_code == 200
    assert asked.asked.count(NAME) == 1
    with pytest.raises(RefusedAddress):
        await get(at_name(there))


async def test_of_several_addresses_the_allowed_ones_are_tried_in_turn(
    there: OutsideIssuer, names: Callable[..., Names]
) -> None:
    everywhere = Addresses.within(["127.0.0.1", "127.0.0.3"])
    names(["10.0.0.1", "127.0.0.3", "127.0.0.1"])
    assert (await get(at_name(there), everywhere)).status_code == 200


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["169.254.169.254", "::1"]])
async def test_a_name_is_looked_up_before_anything_is_trusted_there(
    names: Callable[..., Names], addresses: list[str]
) -> None:
    names(addresses)
    known = OutsideIssuers(Addresses())
    with pytest.raises(RefusedAddress, match="no public address"):
        await known.check_name(f"https://{NAME}/*")
    with pytest.raises(RefusedAddress, match="no public address"):
        await known.check_reachable(f"https://{NAME}", 1_900_000_000)
    await known.close()


@pytest.mark.parametrize("addresses", [[], ["1.1.1.1"], ["10.0.0.1", "1.1.1.1"]])
async def test_a_name_that_leads_nowhere_else_is_no_danger(
    names: Callable[..., Names], addresses: list[str]
) -> None:
    """Of several addresses those that may be are connected to."""
    names(addresses)
    known = OutsideIssuers(Addresses())
    await known.check_name(f"https://{NAME}/*")
    await known.close()


async def test_a_name_without_address(names: Callable[..., Names]) -> None:
    names([])
    with pytest.raises(httpx.ConnectError, match="has no address"):
        await get(f"http://{NAME}/")


async def test_no_proxy_is_asked(there: OutsideIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    with outside_issuer() as proxy:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        assert (await get(there.url + DISCOVERY)).status_code == 200
        assert not proxy.asked


@pytest.fixture
def https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server whose certificate is for that name; the certificate is trusted."""
    pem = self_signed(tmp_path, NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # who is refused hangs up
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


async def test_tls_proves_the_name_and_not_the_address(https: int, names: Callable[..., Names]) -> None:
    names(["127.0.0.1"])
    assert (await get(f"https://{NAME}:{https}/")).status_code == 204
    for host in ("other.test", "127.0.0.1"):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await get(f"https://{host}:{https}/")
