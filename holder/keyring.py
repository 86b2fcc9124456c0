"""The system's keyring, which keeps secrets for a desktop. It may be missing or locked, or never answer."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

LIMIT_SECONDS = 15.0
"""Enough to unlock it where it asks; without a screen it may wait for ever."""
_SERVICE = "hourmark"
T = TypeVar("T")


class NoKeyring(Exception):
    """It does not do what it was asked; the text says why and holds no secret."""


def is_there() -> bool:
    """Whether there is one that keeps secrets."""

    def look() -> bool:
        import keyring

        return keyring.get_keyring().priority > 0

    try:
        return _bounded(look)
    except NoKeyring:
        return False


def write(account: str, secret: str) -> None:
    """Keeps the secret in place of an earlier one. Raises NoKeyring."""

    def work() -> None:
        import keyring

        keyring.set_password(_SERVICE, account, secret)

    _bounded(work)


def read(account: str) -> str | None:
    """The secret; None if it keeps none. Raises NoKeyring."""

    def work() -> str | None:
        import keyring

        return keyring.get_password(_SERVICE, account)

    return _bounded(work)


def delete(account: str) -> None:
    """Forgets the secret. Raises NoKeyring, also where there is none."""

    def work() -> None:
        import keyring

        keyring.delete_password(_SERVICE, account)

    _bounded(work)


def _bounded(work: Callable[[], T]) -> T:
    """What `work` gives within the limit. A thread that hangs is left behind, and ends with the process."""
    results: SimpleQueue[T | NoKeyring] = SimpleQueue()

    def run() -> None:
        try:
            results.put(work())
        except Exception as error:  # noqa: BLE001 - a desktop's service can fail in any way
            results.put(NoKeyring(f"it failed ({type(error).__name__})"))

    Thread(target=run, daemon=True).start()
    try:
        result = results.get(timeout=LIMIT_SECONDS)
    except Empty:
        raise NoKeyring(f"it did not answer within {LIMIT_SECONDS:.0f} seconds") from None
    if isinstance(result, NoKeyring):
        raise result
    return result
