"""What a newcomer's `git clone` would hold."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.vectors import PROJECT


def make_clone(folder: Path) -> Path:
    """A clone, in that folder. Where something is not committed, what a clone would hold if all of it were.

    So a file that was forgotten in a commit is missing where nothing else lies about, as in CI.
    """
    if shutil.which("git") is None:
        pytest.skip("no git: install it")
    try:
        if _git("status", "--porcelain") == "":
            _git("clone", "--quiet", str(PROJECT), str(folder))
            return folder
        listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"git makes no clone of this: {error.stderr}")
    for name in listed.split("\0"):
        if name and (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    return folder


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout
