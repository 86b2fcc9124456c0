"""The proxy that asks, and the request that it asks about.

It proves itself by a secret header, or by its address: whoever else asked would learn who may do what, and be
handed tokens. Of what it says about the request only one reading is possible, or it is refused.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

from starlette.requests import Request

from issuer.denials import Denial
from issuer.settings import Settings

SECRET_HEADER = "Hourmark-Proxy-Secret"  # noqa: S105 - where it is, not what it is
_SECRET = SECRET_HEADER.lower().encode()
_LOWER = {
    name: name.lower().encode()
    for name in (
        *("X-Original-URL", "X-Original-Method"),
        *(f"X-Forwarded-{part}" for part in ("Proto", "Host", "Uri", "Method")),
    )
}
_URL = re.compile(r"(https?)://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::([0-9]{1,5}))?(/[!-~]*)")
_METHOD = re.compile(r"[A-Z][A-Z-]{0,19}")
_USUAL_PORTS = {"http": "80", "https": "443"}
_MAX_CHARACTERS = 16 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that came to the proxy."""

    scheme: str
    host: str
    """In lower case, with its port if that is not the usual one."""
    target: str
    """Path and query, as they were sent."""
    method: str
    knows_401_and_403_alone: bool
    """Whether the proxy is nginx, whose `auth_request` takes every other refusal for a failure."""

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def url(self) -> str:
        return f"{self.origin}{self.target}"


Sent = Mapping[bytes, Sequence[bytes]]
"""The headers that the proxy sent, by their names in lower case."""


def sent_in(request: Request) -> Sent:
    """Grouped once: each is looked for by its name, and has to be there once."""
    sent: dict[bytes, list[bytes]] = {}
    for name, value in request.scope["headers"]:
        sent.setdefault(name, []).append(value)
    return sent


class Proxies:
    """Those that may ask, as the settings have them."""

    def __init__(self, settings: Settings) -> None:
        secrets = (settings.forward_auth_secret, settings.forward_auth_previous_secret)
        self._secrets = tuple(each.get_secret_value().encode() for each in secrets if each is not None)
        self._networks = tuple(map(ip_network, settings.forward_auth_proxies))

    def check(self, request: Request, sent: Sent) -> None:
        """Raises Denial unless the proxy proves itself."""
        shown = sent.get(_SECRET, ())
        if len(shown) == 1:
            if any(hmac.compare_digest(shown[0], each) for each in self._secrets):
                return
        elif not shown and self._is_trusted(request):
            return
        raise refused(
            "unknown_proxy",
            f"the proxy does not prove itself: it sends {SECRET_HEADER}, as HOURMARKD_FORWARD_AUTH_SECRET "
            "says, or asks from one of HOURMARKD_FORWARD_AUTH_PROXIES",
        )

    def _is_trusted(self, request: Request) -> bool:
        if not self._networks or request.client is None:
            return False
        with suppress(ValueError):
            address = ip_address(request.client.host)
            return any(address in each for each in self._networks)
        return False


def read(sent: Sent) -> Asked:
    """What the proxy asks about: `X-Original-URL` as with nginx, or `X-Forwarded-*`. Raises Denial.

    Where both are there they say the same: the client may have sent what the proxy did not.
    """
    original = _one(sent, "X-Original-URL")
    scheme, host, target = (_one(sent, f"X-Forwarded-{name}") for name in ("Proto", "Host", "Uri"))
    forwarded = None if host is None else f"{scheme}://{host}{target}"
    method = _one(sent, "X-Forwarded-Method" if original is None else "X-Original-Method")
    asked = _parse(original or forwarded or "", method or "", is_nginx=original is not None)
    if original is not None and forwarded is not None:
        other = _parse(forwarded, asked.method, is_nginx=True)
        if other != asked:
            raise _unclear("X-Original-URL and X-Forwarded-Host name two places")
    return asked


def client_address(sent: Sent) -> str | None:
    """The address that the proxy saw, if it says one."""
    values = sent.get(b"x-forwarded-for")
    return _address(values[-1].rpartition(b",")[2].strip()) if values else None


@lru_cache(maxsize=4096)
def _address(text: bytes) -> str | None:
    """As all write it; clients come again and again."""
    with suppress(ValueError):
        return str(ip_address(text.decode("latin-1")))
    return None


def refused(reason: str, detail: str) -> Denial:
    """reason: as `Hourmark-Refused` says it."""
    return Denial("not_permitted", detail, reason=reason)


def no_credential(**headers: str) -> Denial:
    detail = "send a token or a role key as Authorization: Bearer"
    return Denial(
        "invalid_token", detail, headers={"WWW-Authenticate": "Bearer"} | headers, reason="no_credential"
    )


def _parse(url: str, method: str, *, is_nginx: bool) -> Asked:
    match = _URL.fullmatch(url) if len(url) <= _MAX_CHARACTERS else None
    if match is None:
        raise _unclear("X-Original-URL, or X-Forwarded-Proto, -Host and -Uri, make no URL")
    if _METHOD.fullmatch(method) is None:
        raise _unclear("X-Original-Method, or X-Forwarded-Method, is no method")
    scheme, name, port, target = match.groups()
    is_usual = port in (None, _USUAL_PORTS[scheme])
    host = name.lower() if is_usual else f"{name.lower()}:{port}"
    return Asked(scheme, host, target, method, is_nginx)


def _one(sent: Sent, name: str) -> str | None:
    """Raises Denial: of two, another server may have believed the other one."""
    values = sent.get(_LOWER[name], ())
    if len(values) > 1:
        raise _unclear(f"{name} comes twice")
    return values[0].decode("latin-1") if values and values[0] else None


def _unclear(detail: str) -> Denial:
    return refused("unclear_request", f"what the proxy asks about is not clear: {detail}")
