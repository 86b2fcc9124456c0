"""The shared test data: attacks, RFC values, Wycheproof. Read where it stands: a copy would age."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """The vectors' folder; skips the calling test, or module when called at import, where there is none."""
    path = Path(os.environ.get("HOURMARK_VECTORS") or PROJECT.parent / "shared" / "vectors")
    if not path.is_dir():
        pytest.skip(
            f"no test vectors at {path}; name their folder in HOURMARK_VECTORS", allow_module_level=True
        )
    return path


def read(name: str) -> str:
    """The text of one file, named by its path inside the folder, such as `attacks/tokens.json`."""
    return (folder() / name).read_text(encoding="utf-8")


def load(name: str) -> Any:
    """One file as parsed JSON."""
    return json.loads(read(name))
