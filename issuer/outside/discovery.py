"""The network of outside issuers: from an issuer's URL to its keys (OpenID Connect Discovery).

What holds, whatever a name server says, now or a moment later (DNS rebinding): a name is resolved once for
each request, every address that the request then goes to was checked, and the connection is made to that
address and not to the name. TLS proves the name there. No connection is used for a second request, no
redirect is followed, no proxy is asked: it would do the resolving. One deadline and one bound of size hold
for each document.

Loaded with the first outside token: the network stack costs more to import than all the rest of this room.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from issuer.outside.address import Addresses, RefusedAddress
from verifier import strict_json
from verifier.refresh import DEADLINE, FetchError, fetch, keys_age

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
_NO_REUSE = httpx.Limits(max_connections=16, max_keepalive_connections=0)


class CheckedAddresses(httpx.AsyncBaseTransport):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._transport = httpx.AsyncHTTPTransport(limits=_NO_REUSE)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Tries the host's allowed addresses in turn. Raises RefusedAddress, httpx.HTTPError."""
        name, url, failure = request.url.host, request.url, None
        # The Host header was made from the name already; TLS asks for the name, and checks it.
        request.extensions = {**request.extensions, "sni_hostname": name}
        for address in await resolve(self._addresses, name, url.port or 443):
            request.url = url.copy_with(host=address)
            try:
                return await self._transport.handle_async_request(request)
            except httpx.ConnectError as error:
                failure = error
        raise failure or httpx.ConnectError(f"{name} has no address")

    async def aclose(self) -> None:
        await self._transport.aclose()


async def resolve(addresses: Addresses, name: str, port: int) -> list[str]:
    """Those that are allowed. Raises RefusedAddress if none is, httpx.ConnectError if there is none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        raise httpx.ConnectError(f"{name} has no address") from None
    allowed, refused = [], None
    for address in dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found):
        try:
            addresses.check(address)
            allowed.append(address)
        except RefusedAddress as error:
            refused = error
    if refused is not None and not allowed:
        raise refused
    return allowed


class Discovery:
    """Fetches what issuers publish of their keys."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._client = httpx.AsyncClient(
            transport=CheckedAddresses(addresses),
            headers=_HEADERS,
            timeout=DEADLINE,
            follow_redirects=False,
        )

    async def jwks(self, issuer: str) -> tuple[bytes, float]:
        """The JWKS, and after how many seconds to ask again.

        Raises FetchError, RefusedAddress, TimeoutError, httpx.HTTPError.
        """
        self._addresses.check_url(issuer)
        async with asyncio.timeout(DEADLINE):
            uri = await self._jwks_uri(issuer)
            answer, document = await fetch(self._client, uri, {}, DEADLINE)
        return document, keys_age(answer)

    async def check_name(self, url: str) -> None:
        """What the name in a URL leads to now; nothing is wrong with one that leads nowhere.

        Raises RefusedAddress.
        """
        parts = urlsplit(url)
        with suppress(httpx.ConnectError, TimeoutError):
            async with asyncio.timeout(DEADLINE):
                await resolve(self._addresses, parts.hostname or "", parts.port or 443)

    async def close(self) -> None:
        await self._client.aclose()

    async def _jwks_uri(self, issuer: str) -> str:
        place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        _, document = await fetch(self._client, place, {}, DEADLINE)
        try:
            metadata = strict_json.parse_object(document)
        except ValueError:
            raise FetchError("what is published there is no JSON object") from None
        if metadata.get("issuer") != issuer:
            raise FetchError("what is published there is another issuer's")
        uri = metadata.get("jwks_uri")
        if not isinstance(uri, str):
            raise FetchError("its discovery document names no jwks_uri")
        # It may be at another host, and have a query, unlike an issuer.
        self._addresses.check_url(urlsplit(uri)._replace(query="").geturl())
        return uri
