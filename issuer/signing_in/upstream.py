"""Signing in at another OpenID provider: what belongs to one attempt, and what comes of it.

An attempt travels in a sealed cookie of the browser that began it; nothing is stored here.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keys import base64url

LIFETIME = 600
"""Seconds that somebody may take at the provider."""
_PURPOSE = b"upstream\0"


class UpstreamUnavailable(Exception):
    """The provider does not answer, or not as it must."""


class UpstreamRefused(Exception):
    """The provider, or the way back from it, says no."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody on the way to a provider."""

    provider: str
    then: str
    """Where to go afterwards: a path of ours."""
    links: int | None
    """The user who asked for that account to be linked; None for signing in."""
    is_anew: bool
    """Whether the user has to prove there, now, who it is."""
    began_at: int
    state: dict[str, Any] = field(repr=False)
    """What the library has to know again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is."""

    issuer: str
    subject: str
    authenticated_at: int | None
    """Unix seconds; None if the provider does not tell."""
    methods: tuple[str, ...]
    """How it was proved there (`amr`)."""
    groups: tuple[str, ...]
    claims: Mapping[str, object]


def seal(attempt: Attempt, hash_key: bytes) -> str:
    """For a cookie. Readable to its browser, which goes the way itself; but not to be changed."""
    body = json.dumps(
        [attempt.provider, attempt.then, attempt.links, attempt.is_anew, attempt.began_at, attempt.state],
        separators=(",", ":"),
    ).encode()
    mac = hmac.digest(hash_key, _PURPOSE + body, "sha256")
    return f"{base64url.encode(body).decode()}.{base64url.encode(mac).decode()}"


def unseal(text: str, provider: str, hash_key: bytes) -> Attempt:
    """Raises UpstreamRefused unless it was sealed here, for this provider, and not long ago."""
    encoded, _, mac = text.partition(".")
    try:
        body, given = base64url.decode(encoded.encode()), base64url.decode(mac.encode())
    except ValueError:
        body, given = b"", b""
    if hmac.compare_digest(given, hmac.digest(hash_key, _PURPOSE + body, "sha256")):
        attempt = Attempt(*json.loads(body))
        if attempt.provider == provider and time.time() < attempt.began_at + LIFETIME:
            return attempt
    raise UpstreamRefused("this browser did not begin to sign in there, or it took too long")
