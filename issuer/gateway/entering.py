"""A browser on its way into an app, at the app's host: to the issuer's entrance, and back with a code.

It goes to the entrance by a link that is sealed here, so that nobody makes one that leads elsewhere. What it
began by stays in a cookie at the app's host: a code that comes back in another browser is worth nothing.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from issuer.gateway import cookies, proxy
from issuer.gateway.known import ProtectedApp
from issuer.gateway.proxy import Asked
from issuer.service import Service
from issuer.setting_values import is_loopback
from issuer.store import visits
from issuer.store.database import Transaction
from issuer.store.tables import Principal
from issuer.store.visits import Begun
from keys import Handle, base64url, handle_hash
from keys.secret import random_text

ENTRANCE = "/enter"
"""The issuer's page."""
_RESERVED = "/_hourmark/"
_ARRIVE, _LEAVE = f"{_RESERVED}enter", f"{_RESERVED}leave"
_LINK_SECONDS = 3600
_BROWSER_CHARACTERS = 32
_NOT_AT_ALL = re.compile(r"q\s*=\s*0(\.0*)?")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_TARGET = 4096
"""Characters of where a browser was going; from further down it begins at the top."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a browser was going when it was led to the entrance."""

    origin: str
    target: str
    browser: str = field(repr=False)
    """Of what it began by, a hash."""
    at: int

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]

    def parameters(self, hash_key: bytes) -> dict[str, str]:
        """Sealed, as the forms of the entrance carry it."""
        return self._parameters() | {"seal": self._seal(hash_key)}

    def query(self, hash_key: bytes) -> str:
        """The same in a link."""
        return urlencode(self.parameters(hash_key))

    def back(self, code: str) -> str:
        """Where the browser goes with its code."""
        return f"{self.origin}{_ARRIVE}?{urlencode({'code': code})}"

    @classmethod
    def read(cls, parameters: Mapping[str, str], hash_key: bytes, now: float) -> Way | None:
        """None unless it was sealed here, not too long ago."""
        at = parameters.get("at", "")
        if not (at.isascii() and at.isdigit() and len(at) < 12):
            return None
        origin, target, browser = (parameters.get(name, "") for name in ("origin", "target", "browser"))
        way = cls(origin, target, browser, int(at))
        is_ours = hmac.compare_digest(parameters.get("seal", "").encode(), way._seal(hash_key).encode())
        return way if is_ours and now - way.at <= _LINK_SECONDS else None

    def _parameters(self) -> dict[str, str]:
        return {
            "origin": self.origin,
            "target": self.target,
            "browser": self.browser,
            "at": str(self.at),
        }

    def _seal(self, hash_key: bytes) -> str:
        text = "\0".join(("way", *self._parameters().values()))
        return hmac.digest(hash_key, text.encode(), "sha256").hex()


def is_reserved(asked: Asked) -> bool:
    """Whether it is a path that no app has: the browser comes back there."""
    return asked.path.startswith(_RESERVED)


def is_page(request: Request, asked: Asked) -> bool:
    """Whether a person waits for a page, and no program with a credential: only these are led elsewhere."""
    return (
        asked.method in ("GET", "HEAD")
        and not request.headers.get("authorization")
        and "upgrade" not in request.headers
        and "x-requested-with" not in request.headers
        and _wants_html(request.headers.get("accept", ""))
        and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    )


def is_of_another_page(request: Request, asked: Asked) -> bool:
    """Whether a page of another origin has the browser write here, or open a socket (RFC 6455 section 10.2).

    `SameSite` keeps off pages of other sites alone, and apps at hosts of one domain are one site. Apps do not
    look themselves: they know nothing of the cookie.
    """
    is_socket = "sec-websocket-key" in request.headers or "upgrade" in request.headers
    if asked.method in _READING and not is_socket:
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return request.headers.get("origin", asked.origin) != asked.origin


def _wants_html(accept: str) -> bool:
    """Whether HTML is named, and not refused (RFC 9110 section 12.5.1): programs say `*/*`, or nothing."""
    for kind in accept.lower().split(","):
        name, *parameters = (part.strip() for part in kind.split(";"))
        if name == "text/html":
            return not any(_NOT_AT_ALL.fullmatch(each) for each in parameters)
    return False


def to_entrance(service: Service, request: Request, asked: Asked) -> Response:
    """Raises Denial for an app over plain HTTP, where everybody could read what it is let in by."""
    name = urlsplit(asked.origin).hostname or ""
    is_safe = asked.scheme == "https" or is_loopback(name) or name.endswith(".localhost")
    if not is_safe and service.settings.issuer_url.startswith("https:"):
        raise proxy.refused("plain_http", "browsers are let in over https alone")
    browser = cookies.browser(request, asked.scheme)
    if len(browser) != _BROWSER_CHARACTERS:
        browser = random_text(_BROWSER_CHARACTERS)
    target = asked.target if len(asked.target) <= _MAX_TARGET and not is_reserved(asked) else "/"
    hash_key = service.credentials.hash_key.key
    way = Way(asked.origin, target, _browser_hash(browser, hash_key), int(time.time()))
    answer = _lead(f"{service.settings.issuer_url}{ENTRANCE}?{way.query(hash_key)}")
    cookies.keep_browser(answer, asked.scheme, browser)
    return answer


async def arrive(service: Service, request: Request, asked: Asked, app: ProtectedApp) -> Response:
    """The browser comes back with its code, or leaves. Raises StoreUnavailable."""
    if asked.path == _LEAVE:
        return await _leave(service, request, asked)
    code = parse_qs(urlsplit(asked.target).query).get("code", [""])[0]
    browser, hash_key = cookies.browser(request, asked.scheme), service.credentials.hash_key.key
    is_whole = Handle.VISIT_CODE.is_whole(code) and len(browser) == _BROWSER_CHARACTERS
    if asked.path != _ARRIVE or asked.method != "GET" or not is_whole:
        return to_entrance(service, request, asked)

    def work(tx: Transaction) -> Begun | None:
        return visits.redeem(
            tx,
            code,
            app.client.client_id,
            browser_hash=_browser_hash(browser, hash_key).encode(),
            hash_key=hash_key,
        )

    begun = await service.write(app.client.client_id, work)
    if begun is None:
        return to_entrance(service, request, asked)
    answer = _lead(f"{asked.origin}{begun.target}")
    cookies.keep_visit(answer, asked.scheme, begun.cookie, begun.expires_at - int(time.time()))
    return answer


async def _leave(service: Service, request: Request, asked: Asked) -> Response:
    """Ends the visit, unless a page elsewhere asks for it."""
    cookie, is_own = cookies.visit(request, asked.scheme), request.headers.get("sec-fetch-site", "none")
    if Handle.VISIT.is_whole(cookie) and is_own in ("same-origin", "none"):
        cookie_hash = handle_hash(cookie, service.credentials.hash_key.key)
        await service.write("", lambda tx: _end(tx, cookie_hash))
    return to_entrance(service, request, asked)


def _end(tx: Transaction, cookie_hash: bytes) -> None:
    row = visits.by_cookie(tx.session, cookie_hash)
    if row is not None:
        tx.actor = tx.session.get_one(Principal, row.principal_id).name
        visits.leave(tx, row)


def _lead(url: str) -> Response:
    return Response(status_code=302, headers={"Location": url, "Cache-Control": "no-store"})


def _browser_hash(browser: str, hash_key: bytes) -> str:
    return base64url.encode(handle_hash(f"browser\0{browser}", hash_key)).decode()
