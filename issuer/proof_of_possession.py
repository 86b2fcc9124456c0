"""Requests for tokens that are bound to a key (RFC 7800, RFC 9449): refused, as none are issued yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_PARAMETERS = ("cnf", "dpop_jkt")
_HEADER = b"dpop"
REFUSAL = "proof of possession (DPoP) is not supported yet: ask without it"


def is_asked_for(parameters: Collection[str], headers: Iterable[tuple[bytes, bytes]] = ()) -> bool:
    """By the names of the parameters, or by a proof among the headers, as ASGI has these."""
    return any(name in parameters for name in _PARAMETERS) or any(name == _HEADER for name, _ in headers)
