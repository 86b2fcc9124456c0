"""The issuer's URL: the one address that credentials are sent to, and the `iss` of every token."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from holder.errors import UsageError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def parse(text: str) -> str:
    """The URL without a trailing slash. Raises UsageError unless it is https, or http on this host."""
    url = _split(text.strip())
    if url is None or url.scheme not in ("https", "http") or not text.isprintable():
        raise UsageError(
            "The issuer's URL is no URL", "it looks like https://issuer.example", "set --url or HOURMARK_URL"
        )
    if url.username is not None or url.query or url.fragment:
        raise UsageError(
            "The issuer's URL has parts that do not belong there",
            "it has no user, password, query or fragment",
            "set --url or HOURMARK_URL to its plain form, https://issuer.example",
        )
    if not is_safe(text.strip()):
        raise UsageError(
            f"The issuer's URL {text.strip()} is not safe",
            "over plain http anybody on the way reads the credential; http is for this host alone",
            "use the https URL",
            code="insecure_url",
        )
    return text.strip().rstrip("/")


def is_safe(text: str) -> bool:
    """Whether a credential may be sent there: nobody on the way can read it."""
    url = _split(text)
    return url is not None and (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK))


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        return url if url.hostname and url.port != 0 else None
    except ValueError:  # also a port that is no number, which only reading it tells
        return None
