"""Passwords: argon2id with the parameters of RFC 9106 section 4 for little memory.

A hash takes 64 MiB and some hundredths of a second, so few are made at once, beside the event loop. Whoever
comes from where many wrong ones came from, or asks for a user of whom many were tried, waits in a line of its
own: the right password always gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
from anyio import CapacityLimiter
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.requests import Request

from issuer.denials import Denial
from issuer.service import Service
from issuer.store import passwords
from issuer.store.database import Transaction
from issuer.store.names import MAX_NAME
from issuer.store.passwords import KnownPassword
from issuer.store.users import USER_PREFIX
from issuer.telemetry import source

T = TypeVar("T")
MIN_CHARACTERS = 12
MAX_BYTES = 1024
METHODS = ("pwd",)
"""RFC 8176."""
_HASHER = PasswordHasher(
    time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID
)
MAX_WAITING = 100
"""In each line, behind those whose hashes are being made."""
_SLOTS, _SUSPECTS_SLOTS = CapacityLimiter(2), CapacityLimiter(1)
_NOBODY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"
"""Nobody's, so that an unknown user costs the same work."""


class WrongPassword(Exception):
    """The user has another password, or none, or is nobody who may sign in. One text for every reason."""

    def __init__(self) -> None:
        super().__init__("User name and password do not belong together.")


def wrong_with(password: str, again: str | None, user: str) -> str | None:
    """What is wrong with a new password, typed twice; None for a good one."""
    if len(password) < MIN_CHARACTERS:
        return (
            f"Use at least {MIN_CHARACTERS} characters. A few words that only you would put together do well."
        )
    if len(password.encode()) > MAX_BYTES:
        return f"That is longer than {MAX_BYTES} bytes."
    if len(set(password)) < 5 or password.casefold() in (user.casefold() * 64)[: len(password) * 2]:
        return "That is too easy to guess."
    return None if again == password else "The two are not the same."


async def hashed(password: str) -> str:
    """What is stored of a new password."""
    return await _in_turn(partial(_HASHER.hash, password), _SLOTS)


async def prove(service: Service, request: Request, user: str, password: str) -> KnownPassword:
    """Whose password it is. It may be another one by the time that a session begins: see `is_still`.

    Raises WrongPassword; Denial after too many of them, or with too many before this one.
    """
    whence, whose = source(request.scope), USER_PREFIX + user[:MAX_NAME]
    is_suspect = service.throttle.is_over(whence) or service.throttle.is_over(whose)
    known = None if "\0" in user else await service.read(lambda session: passwords.find(session, user))
    check = partial(_is_right, _NOBODY if known is None else known.hash, password)
    is_right = await _in_turn(check, _SUSPECTS_SLOTS if is_suspect else _SLOTS)
    if known is None or not is_right:
        service.throttle.failed(whose, WrongPassword())
        raise service.throttle.failed(whence, WrongPassword())
    if _HASHER.check_needs_rehash(known.hash):
        return await _rehash(service, user, known, password)
    return known


async def _in_turn(work: Callable[[], T], slots: CapacityLimiter) -> T:
    """Raises Denial if the line is so long that whoever stands in it has gone before it is their turn."""
    if slots.statistics().tasks_waiting >= MAX_WAITING:
        raise Denial("temporarily_unavailable", "too many people sign in at this moment")
    return await anyio.to_thread.run_sync(work, limiter=slots)


def _is_right(password_hash: str, password: str) -> bool:
    if len(password.encode()) > MAX_BYTES:
        password = ""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def _rehash(service: Service, user: str, known: KnownPassword, password: str) -> KnownPassword:
    fresh = await hashed(password)

    def write(tx: Transaction) -> None:
        passwords.replace_hash(tx, known, fresh)

    await service.write(USER_PREFIX + user, write)
    return KnownPassword(known.user_id, fresh)
