"""A keyring for tests, named by PYTHON_KEYRING_BACKEND: it keeps everything in one file, open to all."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

NAME = f"{__name__}.Keyring"
FILE_VARIABLE = "KEYRING_IN_A_FILE"
READ_ONLY_VARIABLE = "KEYRING_IS_READ_ONLY"


class Keyring(KeyringBackend):
    """Of all that use the same file, as a desktop's is of all its programs."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return _read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        if READ_ONLY_VARIABLE in os.environ:
            raise PasswordSetError("it is locked")
        _path().write_text(json.dumps(_read() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        kept = _read()
        if kept.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("there is none")
        _path().write_text(json.dumps(kept))


def _path() -> Path:
    return Path(os.environ[FILE_VARIABLE])


def _read() -> dict[str, str]:
    return json.loads(_path().read_text()) if _path().exists() else {}
