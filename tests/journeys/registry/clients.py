"""Docker's client and its relatives, each with a home of its own, and an image to carry about."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running_issuer import BIN, clean_environment


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Home:
    """Where the clients of one person keep what they keep."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.config = folder / ".docker" / "config.json"
        self._environment = clean_environment(
            HOME=str(folder),
            PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}",
            DOCKER_CONFIG=str(folder / ".docker"),
            # Nobody listens there: the client does without a daemon.
            DOCKER_HOST=f"unix://{folder / 'no-daemon.sock'}",
            XDG_RUNTIME_DIR=str(folder / "run"),
            XDG_CONFIG_HOME=str(folder / "config"),
            BUILDAH_ISOLATION="chroot",
            STORAGE_DRIVER="vfs",
            **environment,
        )
        (folder / "run").mkdir(mode=0o700)

    def run(self, *command: str, stdin: str = "", **environment: str) -> Done:
        if not (BIN / command[0]).exists():
            require(command[0])
        done = subprocess.run(
            command,
            env=self._environment | environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def __call__(self, *command: str, stdin: str = "") -> str:
        """What the command prints; it must succeed."""
        done = self.run(*command, stdin=stdin)
        assert done.code == 0, f"{command[:2]}\n{done.out}{done.err}"
        return done.out


def require(program: str) -> None:
    """Skips the test where there is no such program."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: install it")


def image(folder: Path, content: str = "hello") -> str:
    """An image with one file, in a layout of the Open Container Initiative; what skopeo calls it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(data: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    kind = "application/vnd.oci.image"
    files = io.BytesIO()
    with tarfile.open(fileobj=files, mode="w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content.encode()))
    diff = f"sha256:{hashlib.sha256(files.getvalue()).hexdigest()}"
    settings = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff]}}
    layer = blob(gzip.compress(files.getvalue(), mtime=0), f"{kind}.layer.v1.tar+gzip")
    config = blob(json.dumps(settings | {"config": {}}).encode(), f"{kind}.config.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": config,
        "layers": [layer],
    }
    described = blob(json.dumps(manifest).encode(), f"{kind}.manifest.v1+json")
    index = {
        "schemaVersion": 2,
        "manifests": [described | {"annotations": {"org.opencontainers.image.ref.name": "1"}}],
    }
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}:1"


@contextmanager
def image_storage(folder: Path) -> Iterator[Path]:
    """Where podman and buildah keep images. They mount a folder in it, and leave that to whoever made it."""
    storage = folder / "storage"
    try:
        yield storage
    finally:
        subprocess.run(["umount", storage / "overlay"], check=False, capture_output=True)
