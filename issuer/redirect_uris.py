"""Redirect URIs: which may be registered, and which one of a request is registered (RFC 9700 section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

MAX_CHARACTERS = 1000
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+", re.ASCII)
_LOOPBACK = ("127.0.0.1", "::1")


def check(uri: str) -> str:
    """Raises ValueError, which says why it cannot be registered."""
    if len(uri) > MAX_CHARACTERS or _VISIBLE.fullmatch(uri) is None:
        raise ValueError(f"a redirect URI is 1 to {MAX_CHARACTERS} visible ASCII characters")
    try:
        url = urlsplit(uri)
        _ = url.port
    except ValueError:
        raise ValueError("it is no URI") from None
    if url.fragment or uri.endswith("#"):
        raise ValueError("a redirect URI has no fragment")
    if "*" in uri or "\\" in uri:
        raise ValueError("a redirect URI is compared letter by letter: no wildcards, no backslashes")
    if url.scheme in ("https", "http"):
        if not url.hostname or "@" in url.netloc:
            raise ValueError("a redirect URI names a host, and no user")
        if url.scheme == "http" and url.hostname not in (*_LOOPBACK, "localhost"):
            raise ValueError("http is for loopback alone: use https")
    elif _PRIVATE_SCHEME.fullmatch(url.scheme) is None:
        raise ValueError(
            "use https, http on loopback, or a scheme that is a reversed domain name, as com.example.app:/cb"
        )
    return uri


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Letter by letter; where a loopback address is registered, any port of it (RFC 8252 section 7.3)."""
    return any(uri == each or _is_same_but_for_port(uri, each) for each in registered)


def is_native(uri: str) -> bool:
    """Whether it leads to a program on the user's machine, as which any other one can pose."""
    url = urlsplit(uri)
    return url.scheme not in ("https", "http") or _is_loopback(url) or url.hostname == "localhost"


def place(uri: str) -> str:
    """Where it leads, for people."""
    url = urlsplit(uri)
    if is_native(uri):
        return "a program on this computer"
    return url.netloc


def _is_same_but_for_port(uri: str, registered: str) -> bool:
    known = urlsplit(registered)
    if not _is_loopback(known):
        return False
    host = f"[{known.hostname}]" if ":" in (known.hostname or "") else known.hostname
    query = f"?{known.query}" if known.query else ""
    form = re.escape(f"http://{host}") + r"(:[0-9]{1,5})?" + re.escape(known.path + query)
    return re.fullmatch(form, uri, re.ASCII) is not None


def _is_loopback(url: SplitResult) -> bool:
    return url.scheme == "http" and url.hostname in _LOOPBACK
