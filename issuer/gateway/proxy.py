"""The proxy that asks, and the request that it asks about.

It proves itself by a secret header, or by its address: whoever else asked would learn who may do what, and be
handed tokens. Of what it says about the request only one reading is possible, or it is refused.
"""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from starlette.requests import Request

from issuer.denials import Denial
from issuer.settings import Settings

SECRET_HEADER = "Hourmark-Proxy-Secret"  # noqa: S105 - where it is, not what it is
_URL = re.compile(r"(https?)://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::([0-9]{1,5}))?(/[!-~]*)")
_METHOD = re.compile(r"[A-Z]{1,20}")
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


def check(settings: Settings, request: Request) -> None:
    """Raises Denial unless the proxy proves itself."""
    secrets = (settings.forward_auth_secret, settings.forward_auth_previous_secret)
    sent = _values(request, SECRET_HEADER)
    if len(sent) == 1:
        shown = sent[0].encode("latin-1")
        known = [each.get_secret_value().encode() for each in secrets if each is not None]
        if any(hmac.compare_digest(shown, each) for each in known):
            return
    elif not sent and _is_trusted(settings, request):
        return
    raise refused(
        "unknown_proxy",
        f"the proxy does not prove itself: it sends {SECRET_HEADER}, as HOURMARKD_FORWARD_AUTH_SECRET says, "
        "or asks from one of HOURMARKD_FORWARD_AUTH_PROXIES",
    )


def read(request: Request) -> Asked:
    """What the proxy asks about: `X-Original-URL` as with nginx, or `X-Forwarded-*`. Raises Denial.

    Where both are there they say the same: the client may have sent what the proxy did not.
    """
    original = _one(request, "X-Original-URL")
    parts = [_one(request, f"X-Forwarded-{name}") for name in ("Proto", "Host", "Uri")]
    forwarded = None if parts[1] is None else "{}://{}{}".format(*parts)
    method = _one(request, "X-Forwarded-Method" if original is None else "X-Original-Method")
    asked = _parse(original or forwarded or "", method or "", is_nginx=original is not None)
    if original is not None and forwarded is not None:
        other = _parse(forwarded, asked.method, is_nginx=True)
        if other != asked:
            raise _unclear("X-Original-URL and X-Forwarded-Host name two places")
    return asked


def client_address(request: Request) -> str | None:
    """The address that the proxy saw, if it says one."""
    values = _values(request, "X-Forwarded-For")
    last = values[-1].rpartition(",")[2].strip() if values else ""
    with suppress(ValueError):
        return str(ip_address(last))
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


def _is_trusted(settings: Settings, request: Request) -> bool:
    if not settings.forward_auth_proxies or request.client is None:
        return False
    with suppress(ValueError):
        address = ip_address(request.client.host)
        return any(address in ip_network(each) for each in settings.forward_auth_proxies)
    return False


def _values(request: Request, name: str) -> list[str]:
    return request.headers.getlist(name)


def _one(request: Request, name: str) -> str | None:
    """Raises Denial: of two, another server may have believed the other one."""
    values = _values(request, name)
    if len(values) > 1:
        raise _unclear(f"{name} comes twice")
    return values[0] if values and values[0] else None


def _unclear(detail: str) -> Denial:
    return refused("unclear_request", f"what the proxy asks about is not clear: {detail}")
