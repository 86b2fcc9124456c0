"""Where an outside issuer may live: https at a public address, and in those private networks that are
allowed.

What counts is the address that is connected to, and not what a name led to at some other time: see
`discovery`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")
_HIDDEN = re.compile(r"%(2e|2f|5c)", re.IGNORECASE)
"""A dot, a slash or a backslash that another server may read as one."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
"""Where the last label is one, those who resolve the host take it as an address: 10.1, 0x7f.1, 2130706433."""
MAX_URL = 512


class RefusedAddress(ValueError):
    """No issuer may be there; the message says why, and what would allow it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Those that are allowed."""

    private: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that are not public, and allowed all the same."""

    @classmethod
    def within(cls, networks: Iterable[str]) -> Addresses:
        """Raises ValueError."""
        return cls(tuple(map(ip_network, networks)))

    def check(self, text: str) -> None:
        """Raises RefusedAddress, ValueError if it is no address."""
        address = ip_address(text)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped  # where the connection goes
        if not is_public(address) and not any(address in network for network in self.private):
            raise RefusedAddress(
                f"{address} is no public address; HOURMARKD_OUTSIDE_PRIVATE_NETWORKS names those that may be"
            )

    def check_url(self, url: str) -> None:
        """An issuer's URL, or one that it names: its form, and its host if that is an address.

        Raises RefusedAddress.
        """
        parts = _split(url)
        host = (parts.hostname or "").rstrip(".")
        try:
            self.check(host)
        except RefusedAddress:
            raise
        except ValueError:
            self._check_name(host)
        if parts.scheme == "https":
            return
        if parts.scheme != "http" or not self._allows_loopback or not is_loopback(host):
            raise RefusedAddress(
                "write an https URL: over plain http anybody between could give us keys of their own"
            )

    def _check_name(self, host: str) -> None:
        """As far as it can be told without asking anybody. Raises RefusedAddress."""
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            raise RefusedAddress(
                "write an IPv4 address as four decimal numbers: others read this one otherwise"
            )
        if is_loopback(host) and not self._allows_loopback:
            self.check("127.0.0.1")

    @property
    def _allows_loopback(self) -> bool:
        return any(network.is_loopback for network in self.private)


def is_public(address: Address) -> bool:
    """Whether it is reachable by everybody, as is what a transition address leads to (RFC 6052, RFC 3056)."""
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if isinstance(address, IPv6Address) and address.sixtofour is not None:
        return is_public(address.sixtofour)
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_loopback(host: str) -> bool:
    """Whether a URL's host is this machine by its spelling."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 section 6.3


def _split(url: str) -> SplitResult:
    """Raises RefusedAddress for what can be no issuer's URL (OpenID Connect Discovery section 3)."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        raise RefusedAddress("it is no URL") from None
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or any(c in url for c in ' \\"<>'):
        raise RefusedAddress(f"a URL has at most {MAX_URL} characters of ASCII, and no space or backslash")
    segments = parts.path.split("/")[1:]
    if any(each in (".", "..") for each in segments) or "" in segments[:-1] or _HIDDEN.search(parts.path):
        raise RefusedAddress("an issuer's path has no segment that is empty, or that leads elsewhere (..)")
    if not parts.hostname:
        raise RefusedAddress("write the issuer's URL, spelt as in the `iss` of its tokens")
    if "@" in parts.netloc or parts.query or parts.fragment or "?" in url or "#" in url:
        raise RefusedAddress("an issuer's URL has no user, query or fragment")
    return parts
