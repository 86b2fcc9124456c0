"""What is kept between commands: for each profile a file with the issuer's URL and a role key, if any.

`$XDG_CONFIG_HOME/hourmark/profiles/NAME.json`, 0600, replaced as a whole. One file a profile, so that two
sign-ins at once never lose one another's. Beside the folder the file `current` names the profile that counts
when a command names none. What `hourmark context` lists and uses are these profiles: a context is a profile.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from holder import private_file
from holder.errors import HolderError, UsageError

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one profile keeps; each part may be missing."""

    name: str
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    principal: str | None = None
    sign_in: str | None = None
    """Where the refresh token of a user's sign-in is kept; None without one."""

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return _directory() / f"{self.name}.json"

    @classmethod
    def load(cls, name: str) -> Profile:
        """The profile; an empty one if nothing is kept. Raises HolderError if its file cannot be read."""
        empty = cls(_checked(name))
        try:
            kept = json.loads(empty.path.read_bytes())
            known = {part: kept.get(part) for part in ("url", "token", "principal", "sign_in")}
        except FileNotFoundError:
            return empty
        except (OSError, ValueError, AttributeError) as error:
            raise _unreadable(empty, error) from None
        if any(value is not None and not isinstance(value, str) for value in known.values()):
            raise _unreadable(empty, ValueError())
        return cls(name, **known)

    def save(self) -> None:
        """Keeps it, whole or not at all. Raises HolderError if that is not possible."""
        parts = {part: value for part, value in asdict(self).items() if part != "name" and value is not None}
        try:
            _keep(self.path, json.dumps(parts, indent=2) + "\n")
        except OSError as error:
            raise HolderError(
                f"The profile {self.name} was not kept",
                f"{self.path}: {error.strerror}",
                "set XDG_CONFIG_HOME to a directory that you can write, or use HOURMARK_TOKEN instead",
                code="profile_not_kept",
            ) from error

    def without_token(self) -> Profile:
        """The same, signed out: it still knows its issuer."""
        return replace(self, token=None, principal=None, sign_in=None)


def names() -> list[str]:
    """The profiles that are kept, whole or not. Raises HolderError if the folder cannot be read."""
    try:
        kept = [path.stem for path in _directory().iterdir() if path.suffix == ".json"]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise HolderError(
            "The kept profiles cannot be read",
            f"{_directory()}: {error.strerror}",
            "set XDG_CONFIG_HOME to a directory that you can read",
            code="profiles_unreadable",
        ) from None
    return sorted(filter(_NAME.fullmatch, kept))


def current() -> str | None:
    """The name of the profile that counts when a command names none; None before anybody chose one.

    Raises HolderError if that is not readable: acting as somebody else instead would be worse than an error.
    """
    path = _current_path()
    try:
        name = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        name = ""
    if _NAME.fullmatch(name) is None:
        raise HolderError(
            "It cannot be told which profile counts",
            f"{path} is not what `hourmark context use` writes",
            "hourmark context use NAME, or name one with --profile",
            code="current_unreadable",
        )
    return name


def use(name: str) -> None:
    """Makes it the one that `current` gives. Raises HolderError if that is not possible."""
    path = _current_path()
    try:
        _keep(path, _checked(name) + "\n")
    except OSError as error:
        raise HolderError(
            f"The profile {name} was not made the current one",
            f"{path}: {error.strerror}",
            "set XDG_CONFIG_HOME to a directory that you can write, or HOURMARK_PROFILE instead",
            code="profile_not_kept",
        ) from error


def _checked(name: str) -> str:
    """Raises UsageError for what could not be the name of a file of ours."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name[:80]!r} is no name for a profile",
            "it has letters, digits, dot, underscore and hyphen, at most 64",
            "hourmark context list",
        )
    return name


def _directory() -> Path:
    return _root() / "profiles"


def _current_path() -> Path:
    return _root() / "current"


def _root() -> Path:
    from platformdirs import user_config_path

    # The specification's variable counts on every system, also where the desktop has another custom.
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (
        Path(base) / "hourmark" if Path(base).is_absolute() else user_config_path("hourmark", appauthor=False)
    )


def _keep(path: Path, text: str) -> None:
    private_folder(path)
    private_file.replace(path, text)


def private_folder(path: Path) -> None:
    """Makes the folder that the file is in, where nobody else can look."""
    for folder in dict.fromkeys((_root(), path.parent)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _unreadable(profile: Profile, error: Exception) -> HolderError:
    reason = error.strerror if isinstance(error, OSError) else "it is not what `hourmark login` writes"
    return HolderError(
        f"The profile {profile.name} cannot be read",
        f"{profile.path}: {reason}",
        f"rm {profile.path}, then hourmark login",
        code="profile_unreadable",
    )
