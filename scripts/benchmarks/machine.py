"""What a figure was measured on: enough to judge it, nothing that names the machine or its owner."""

from __future__ import annotations

import os
import platform
import shutil
import ssl
import subprocess
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

_PACKAGES = ("hourmark", "cryptography", "pyjwt", "starlette", "uvicorn", "uvloop", "httptools", "orjson")


def facts() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "openssl": {"python": ssl.OPENSSL_VERSION, "cryptography": backend.openssl_version_text()},
        "packages": {name: version(name) for name in _PACKAGES},
        "node": _node(),
    }


def load() -> float:
    """How many processes wanted a processor in the last minute: with others at work, figures say little."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    """Its model, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _node() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    return subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
