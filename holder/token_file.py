"""A file with a fresh token, for programs that read one: 0600, replaced before it dies.

Where no token can be had the file is not there, so that whoever reads it is told so, and by nobody later.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from holder import private_file
from holder.errors import HolderError
from holder.fresh_token import FreshToken

_LOOK_SECONDS = 1.0
"""The token may have become another one at any time, and a look into memory costs nothing."""


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
        while not self._is_over.wait(_LOOK_SECONDS):
            try:
                self._write()
                self._trouble = ""
            except (HolderError, OSError) as error:
                self._take_away()
                if self._trouble != str(error):
                    self._trouble = str(error)
                    self._say(f"There is no token in {self.path} any more: {error}")

    def _write(self) -> None:
        raw = self._token()
        if raw != self._written:
            private_file.replace(self.path, raw)
            self._written = raw

    def _take_away(self) -> None:
        """What is in it is dead, and would be refused by everybody."""
        self._written = ""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
