"""A service that accepts role keys, and the issuer double that it exchanges them at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keys import RoleKey
from tests.verifier.issuer_double import TOKEN, IssuerDouble
from verifier import TokenError, Unavailable
from verifier.role_keys import RoleKeys

AWAY = "keys_unavailable"


@contextmanager
def accepting(issuer: IssuerDouble) -> Iterator[RoleKeys]:
    with issuer.verifier() as verifier, RoleKeys(verifier) as keys:
        yield keys


def new_key(issuer: IssuerDouble, **changes: Any) -> str:
    """One that the issuer knows."""
    key = RoleKey.generate().reveal()
    issuer.role_keys[key] = changes
    return key


def code(keys: RoleKeys, key: str, now: float | None = None) -> str:
    """ "good", or the code of the refusal."""
    try:
        keys.token(key, now=now)
    except TokenError as error:
        is_unavailable = error.code in (AWAY, "revocation_stale")
        return error.code if isinstance(error, Unavailable) == is_unavailable else f"wrongly {error!r}"
    return "good"


def asked(issuer: IssuerDouble) -> int:
    """How often."""
    return len(issuer.times(TOKEN))
