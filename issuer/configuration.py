"""Every setting as it was given: its text without secrets, where it comes from, and what is wrong with it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError

from issuer.settings import CONFIG_FILE, PREFIX, Settings, read_file, unknown_names

HIDDEN = "********"
_USER = re.compile(r"(?<=://).*@", re.DOTALL)
_PASSWORD = re.compile(r"(?<=://)([^:/@]*):.*@", re.DOTALL)
_PARAMETER = re.compile(r"([?&][^=&]*(?:password|secret)[^=&]*=)[^&]*", re.IGNORECASE)
Source = Literal["environment", "file", "default"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a setting, or with several together; then there is no one name."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.name else self.reason


@dataclass(frozen=True, slots=True)
class GivenSetting:
    """One setting. A value is written as in the environment; None if there is none."""

    name: str
    value: str | None
    source: Source
    where: str
    """The environment variable, the file with the key in it, or nothing."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings, whether they are right or not."""

    settings: list[GivenSetting]
    problems: list[Problem] = field(default_factory=list)
    """Why the service would not start with them."""
    unknown: list[str] = field(default_factory=list)
    """Names in the environment that are passed over: their values are never shown, they may be secrets."""


def read() -> Configuration:
    """Of this process's environment and its settings file."""
    try:
        file, problems = read_file(), []
    except SettingsError as error:
        file, problems = {}, [Problem("", str(error))]
    else:
        try:
            Settings()
        except ValidationError as error:
            problems = problems_of(error)
    return Configuration(_settings(file), problems, unknown_names())


def problems_of(error: ValidationError) -> list[Problem]:
    """What pydantic found, without any value in it."""
    return [
        _problem(wrong["loc"], wrong["type"], wrong["msg"].removeprefix("Value error, "))
        for wrong in error.errors(include_url=False, include_input=False)
    ]


def _problem(place: tuple[int | str, ...], kind: str, reason: str) -> Problem:
    if not place:
        return Problem("", reason)
    setting, *within = place
    if kind == "extra_forbidden" and not within:
        return Problem(f"{os.environ.get(CONFIG_FILE)}: {setting}", "there is no such setting")
    where = ".".join(str(each) for each in within if each != "[key]")
    return Problem(f"{PREFIX}{setting}".upper(), f"{where}: {reason}" if where else reason)


def _settings(file: Mapping[str, object]) -> list[GivenSetting]:
    environment = {name.upper(): value for name, value in os.environ.items()}
    given: list[GivenSetting] = []
    for field_name in Settings.model_fields:
        name = f"{PREFIX}{field_name}".upper()
        if name in environment:
            given.append(GivenSetting(name, _shown(field_name, environment[name]), "environment", name))
        elif field_name in file:
            where = f"{environment[CONFIG_FILE]}: {field_name}"
            given.append(GivenSetting(name, _shown(field_name, _text(file[field_name])), "file", where))
    texts = {setting.name: setting.value for setting in given}
    names = [f"{PREFIX}{field_name}".upper() for field_name in Settings.model_fields]
    defaults = {name: value for name, value in _defaults(texts).items() if name not in texts}
    given += [GivenSetting(name, value, "default", "") for name, value in defaults.items()]
    return sorted(given, key=lambda setting: names.index(setting.name))


def _defaults(given: Mapping[str, str | None]) -> dict[str, str | None]:
    """The text of each default; some follow from other settings, whether those are right or not."""
    followed: dict[str, Any] = {
        name: text for name in ("host", "port") if (text := given.get(f"{PREFIX}{name}".upper()))
    }
    if folder := given.get(f"{PREFIX}DATA_DIR"):
        followed["data_dir"] = Path(folder)
    settings = Settings.model_construct(**followed)
    derived: dict[str, str | None] = {
        "issuer": settings.issuer_url,
        "database_url": settings.resolved_database_url,
        "key_encryption_key_file": None
        if f"{PREFIX}KEY_ENCRYPTION_KEY" in given
        else str(settings.resolved_key_encryption_key_file),
    }
    every = {name: _text(getattr(settings, name)) for name in Settings.model_fields} | derived
    return {f"{PREFIX}{name}".upper(): text for name, text in every.items()}


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return json.dumps(value, default=str) if value else None
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _shown(field_name: str, text: str | None) -> str | None:
    """Without secrets, whatever was given in their place."""
    if text is None or Settings.model_fields[field_name].annotation == SecretStr | None:
        return HIDDEN if text else text
    if field_name == "upstream_providers":
        return _shown_providers(text)
    if field_name == "database_url":
        return _shown_url(text)
    return _USER.sub(f"{HIDDEN}@", text)


def _shown_providers(text: str) -> str:
    """Their names: there are secrets in the rest."""
    try:
        return ",".join(json.loads(text))
    except (ValueError, TypeError):
        return HIDDEN


def _shown_url(text: str) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(text)
    except (ArgumentError, ValueError):
        return HIDDEN  # who can say where in it the password is?
    return _PARAMETER.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))
