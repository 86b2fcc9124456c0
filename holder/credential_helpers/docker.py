"""What docker asks of a credential helper, and which registries are ours in docker's own settings.

These are in `$DOCKER_CONFIG/config.json`; skopeo, buildah and podman read them too. A token is given for the
registries that were installed there by name, and no other: with `credsStore` docker would ask for every one.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holder import private_file
from holder.errors import HolderError, UsageError

NAME = "hourmark"
"""docker calls `docker-credential-NAME`."""
USER = "console"
"""The issuer takes any user name."""
NOT_FOUND = "credentials not found in native keychain"
"""The one text that docker takes for "there is none" and not for an error."""
SCOPE = "repository:*@* registry:catalog@*"
"""What a token for docker may be good for at most: it goes wherever a registry sends docker."""
_HELPERS = "credHelpers"
_ADDRESS = re.compile(r"[A-Za-z0-9.-]+(?::([0-9]{1,5}))?|\[[0-9A-Fa-f:]+\](?::([0-9]{1,5}))?", re.ASCII)
_LAST_PORT = 65535


class NothingForDocker(Exception):
    """There is no credential for a registry, and docker shall go on without one."""

    def __init__(self, reason: HolderError | None = None) -> None:
        """reason: what people should hear; None for a registry that is not ours."""
        super().__init__(NOT_FOUND)
        self.reason = reason


def no_right(principal: str | None) -> HolderError:
    """Whoever is signed in may do nothing at registries."""
    return HolderError(
        "You are signed in, and may do nothing at registries",
        f"{principal or 'the credential'} holds no permission on repositories",
        'have one added: hourmark role policy new ROLE "repository:pull@samples/*"',
        code="no_registry_permission",
    )


def address(text: str) -> str:
    """The registry as docker calls it, `host:port`. Raises UsageError."""
    bare = re.sub(r"^https?://", "", text.strip()).rstrip("/")
    if (match := _ADDRESS.fullmatch(bare)) is None or int(match[1] or match[2] or 0) > _LAST_PORT:
        raise UsageError(
            f"{text[:80]!r} is no registry",
            "it is HOST or HOST:PORT, without the name of a repository",
            "hourmark credential docker install registry.example:5000",
        )
    return bare


def answer(registry: str, token: str) -> str:
    """What docker reads from `get`."""
    return json.dumps({"ServerURL": registry, "Username": USER, "Secret": token})


def check_stored(text: str) -> None:
    """Of what docker wants kept: a token of ours needs no keeping. Raises HolderError for anything else."""
    try:
        secret = json.loads(text)["Secret"]
    except (ValueError, KeyError, TypeError):
        secret = None
    if not isinstance(secret, str) or secret.count(".") != 2:
        raise HolderError(
            "Nothing is kept for docker: it gets a new token each time",
            "this registry is installed for hourmark in docker's config.json",
            "hourmark login",
            code="nothing_kept",
        )


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """Docker's own settings, of which one member is ours to change."""

    path: Path
    members: Mapping[str, Any]

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> DockerConfig:
        """Empty if there are none. Raises HolderError for what could not be written back as it was."""
        folder = environ.get("DOCKER_CONFIG")
        path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
        try:
            members = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(path, {})
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
            raise _unreadable(path, str(reason)) from None
        if not isinstance(members, dict) or not isinstance(members.get(_HELPERS, {}), dict):
            raise _unreadable(path, "it is not what docker writes")
        return cls(path, members)

    @property
    def registries(self) -> list[str]:
        """Those that are ours."""
        return [registry for registry, name in self.members.get(_HELPERS, {}).items() if name == NAME]

    def helper_of(self, registry: str) -> str | None:
        name = self.members.get(_HELPERS, {}).get(registry)
        return name if isinstance(name, str) else None

    def keeps_password(self, registry: str) -> bool:
        """Whether docker has one in this file, from before."""
        kept = self.members.get("auths")
        entry = kept.get(registry) if isinstance(kept, dict) else None
        return isinstance(entry, dict) and bool(entry)

    def install(self, registry: str) -> None:
        """Has docker ask us for this registry; everything else stays as it is. Raises HolderError."""
        helpers = {**self.members.get(_HELPERS, {}), registry: NAME}
        text = json.dumps({**self.members, _HELPERS: helpers}, indent="\t", ensure_ascii=False)
        try:
            # Through a symbolic link: whoever keeps settings elsewhere wants them changed there.
            path = self.path.resolve()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
            private_file.replace(path, text)
            if mode is not None:
                path.chmod(mode)
        except OSError as error:
            raise _not_written(self.path, error) from None


@contextmanager
def changing(environ: Mapping[str, str]) -> Iterator[DockerConfig]:
    """Docker's settings as they are now, which no other process of ours changes meanwhile.

    Raises HolderError.
    """
    from filelock import FileLock

    path = DockerConfig.load(environ).path
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(f".{NAME}.lock"), mode=0o600)
        lock.acquire()
    except OSError as error:
        raise _not_written(path, error) from None
    try:
        yield DockerConfig.load(environ)
    finally:
        lock.release()


def _not_written(path: Path, error: OSError) -> HolderError:
    return HolderError(
        "Docker's settings were not changed",
        f"{path}: {error.strerror}",
        "name a directory that you can write with DOCKER_CONFIG",
        code="docker_config_not_written",
    )


def _unreadable(path: Path, reason: str) -> HolderError:
    return HolderError(
        "Docker's settings cannot be read",
        f"{path}: {reason}",
        "mend the file, or name another directory with DOCKER_CONFIG",
        code="docker_config_unreadable",
    )
