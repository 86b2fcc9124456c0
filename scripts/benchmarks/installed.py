"""Programs that are measured with or against and are no part of Hourmark: there, or made so."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from scripts.benchmarks.measure import CannotMeasure

PROJECT = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).parent / "peers"
_VENV = PROJECT / ".venv-peers"
_REQUIREMENTS = PEERS / "requirements.txt"
_NODE_MODULES = PEERS / "node_modules"


def wrk() -> str:
    """The load generator, installed first where that is allowed. Raises CannotMeasure."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _say("Installing wrk ...")
        for arguments in (["update"], ["install", "--yes", "wrk"]):
            subprocess.run(["apt-get", "--quiet=2", *arguments], check=False, stdout=sys.stderr)
    found = shutil.which("wrk")
    if found is None:
        raise CannotMeasure(
            "wrk is not installed, and it makes the load: apt-get install wrk, or brew install wrk"
        )
    return found


def python_peers() -> Path:
    """A Python of its own that has the libraries of others, as the lock file says. Raises CannotMeasure."""
    python = _VENV / "bin" / "python"
    if not _is_current(_VENV, _REQUIREMENTS):
        _say("Preparing .venv-peers ...")
        venv.create(_VENV, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "install", "--require-hashes", "--no-deps", "--requirement", str(_REQUIREMENTS)])
        _mark(_VENV, _REQUIREMENTS)
    return python


def node_peers() -> str:
    """Node.js, with the packages of others as the lock file says. Raises CannotMeasure."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise CannotMeasure(
            "node or npm is not installed, and some peers need them: apt-get install nodejs npm, "
            "or leave all peers out with --no-peers"
        )
    lock = PEERS / "package-lock.json"
    if not _is_current(_NODE_MODULES, lock):
        _say("Preparing node_modules ...")
        _run(["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(PEERS)])
        _mark(_NODE_MODULES, lock)
    return node


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode != 0:
        raise CannotMeasure(
            "a peer cannot be installed (see above): mend that, or leave peers out with --no-peers"
        )


def _is_current(folder: Path, lock: Path) -> bool:
    stamp = folder / "stamp"
    return stamp.exists() and stamp.read_text() == _stamp(folder, lock)


def _mark(folder: Path, lock: Path) -> None:
    (folder / "stamp").write_text(_stamp(folder, lock))


def _stamp(folder: Path, lock: Path) -> str:
    """An environment is bound to its place, so a copied one is made anew."""
    return hashlib.sha256(lock.read_bytes() + str(folder).encode()).hexdigest()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
