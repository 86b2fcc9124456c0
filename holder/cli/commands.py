"""Every command by its name, loaded when it is asked for: most take less time than to load them all would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

import typer

from holder.cli.options import noun
from holder.cli.parameters import leave_text_alone

if TYPE_CHECKING:
    from typer._click.core import Command  # what `typer.main.get_command` gives; it has no public name

_WHERE = {
    "login": ("login_token", "app"),
    "logout": ("logout", "logout"),
    "whoami": ("whoami", "whoami"),
    "status": ("status", "status"),
    "context": ("context", "app"),
    "role": ("role", "app"),
    "user": ("user", "app"),
    "token": ("token", "app"),
    "app": ("app", "app"),
    "consent": ("consent", "app"),
    "job": ("job", "app"),
    "exec": ("exec", "exec_"),
    "credential": ("credential", "app"),
    "verify": ("verify", "verify"),
    "can": ("verify", "can"),
    "completion": ("completion", "completion"),
}
"""The module of this folder, and in it a noun or one command; in the order of the help."""


class Commands(Mapping[str, "Command"]):
    """As the parser has them. Names alone load nothing; whatever goes through all of them, as the help does,
    loads all.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._loaded:
            self._loaded[name] = _load(name, *_WHERE[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_WHERE)

    def __len__(self) -> int:
        return len(_WHERE)


def _load(name: str, module: str, attribute: str) -> Command:
    found = getattr(import_module(f"holder.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        one = noun("")
        one.command(name)(found)
        found = one
    command = typer.main.get_command(found)
    command.name = name
    leave_text_alone(command)
    return command
