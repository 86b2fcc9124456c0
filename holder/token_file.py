"""A file with a fresh token, for programs that read one: 0600, replaced at four fifths of its life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from holder import private_file
from holder.errors import HolderError
from holder.fresh_token import PAUSE_SECONDS, FreshToken

_LOOK_SECONDS = 15.0
"""At the latest: the token may have become another one, and a computer may have slept."""


class TokenFile:
    """Kept fresh until the end of the block. The folder is the caller's, who deletes it."""

    def __init__(self, path: Path, token: FreshToken, say: Callable[[str], None]) -> None:
        """say: told when it cannot be kept fresh, once a trouble."""
        self.path = path
        self._token = token
        self._say = say
        self._written = ""
        self._trouble = ""
        self._is_over = Event()
        self._thread = Thread(target=self._keep, name="hourmark-token-file", daemon=True)

    def __enter__(self) -> Self:
        """Raises HolderError, OSError: without a token nobody should begin."""
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._is_over.wait(self._pause()):
            try:
                self._write()
                self._trouble = ""
            except (HolderError, OSError) as error:
                if self._trouble != str(error):
                    self._trouble = str(error)
                    self._say(f"The token in {self.path} is not fresh any more: {error}")

    def _pause(self) -> float:
        if self._trouble:
            return PAUSE_SECONDS
        return min(self._token.seconds_fresh, _LOOK_SECONDS)

    def _write(self) -> None:
        raw = self._token()
        if raw != self._written:
            private_file.replace(self.path, raw)
            self._written = raw
