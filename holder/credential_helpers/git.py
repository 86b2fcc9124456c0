"""git's credential helper protocol (gitcredentials, git-credential): lines of `name=value`, both ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from shlex import quote

from holder import issuer_url
from holder.answers import IssuedToken
from holder.errors import HolderError, UsageError


def check_host(text: str) -> None:
    """git never asks for anything else, and would silently be given nothing. Raises UsageError."""
    if not text or not text.isprintable() or any(sign in text for sign in "/@ "):
        host = text.partition("://")[2] or text
        raise UsageError(
            f"--host {text[:80]!r} is no host",
            "it is HOST or HOST:PORT, without https://, user or path",
            f"--host {quote(host.partition('/')[0].rpartition('@')[2][:80] or 'git.example')}",
        )


def answer(asked: str, host: str, username: str, token: Callable[[], IssuedToken]) -> str:
    """What git is told: nothing where another host is asked for, so that git asks its other helpers.

    host: with its port, if it has another one than usual. Raises HolderError.
    """
    request = dict(line.split("=", 1) for line in asked.splitlines() if "=" in line)
    if request.get("host", "").lower() != host.lower():
        return ""
    if not issuer_url.is_safe(f"{request.get('protocol')}://{host}"):
        raise HolderError(
            f"No token goes to {host}",
            f"it is asked for over {request.get('protocol', 'nothing')[:20]}, where others could read it",
            f"use https: git remote set-url origin https://{host}/…",
            code="insecure_url",
        )
    if request.get("username", username) != username:
        return ""
    issued = token()
    ends_at = int(time.time()) + issued.expires_in
    return f"username={username}\npassword={issued.access_token}\npassword_expiry_utc={ends_at}\n"
