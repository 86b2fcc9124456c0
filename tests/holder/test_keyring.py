"""The system's keyring as it can be: without an answer, and failing in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

import keyring as library
import pytest
from keyring.backend import KeyringBackend

from holder import keyring


class Odd(KeyringBackend):
    """It does what no keyring should, with all that it is given."""

    priority = 1.0

    def __init__(self, do: Callable[..., object]) -> None:
        self._do = do

    def get_password(self, service: str, username: str) -> str | None:
        self._do(service, username)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self._do(service, username, password)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = library.get_keyring()
    yield
    library.set_keyring(before)


def test_one_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "LIMIT_SECONDS", 0.05)
    unlocked = Event()
    library.set_keyring(Odd(lambda *_: unlocked.wait()))
    with pytest.raises(keyring.NoKeyring, match="did not answer within"):
        keyring.read("somebody")
    unlocked.set()


def test_what_fails_tells_no_secret() -> None:
    def fail(*given: str) -> None:
        raise LookupError(given)

    library.set_keyring(Odd(fail))
    assert keyring.is_there()
    with pytest.raises(keyring.NoKeyring, match=r"^it failed \(LookupError\)$"):
        keyring.write("somebody", "hmr_secret")
