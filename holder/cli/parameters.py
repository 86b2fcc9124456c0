"""Options and arguments that are text already: the parser need not convert them.

Its converters come with a library that takes longer to load than all else that a command needs to start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

if TYPE_CHECKING:
    from typer._click.core import Command  # what `typer.main.get_command` gives; it has no public name


class _Option(TyperOption):
    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - the parser's own signature
        if not _is_ready(self, value):
            # `-o=json`, as gh and kubectl take it: to the parser the = is a part of what follows -o.
            return super().process_value(ctx, value.removeprefix("=") if isinstance(value, str) else value)
        return value if self.callback is None else self.callback(ctx, self, value)


class _Argument(TyperArgument):
    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - the same
        return value if _is_ready(self, value) else super().process_value(ctx, value)


def leave_text_alone(command: Command) -> None:
    """For a command, and for all commands of a group."""
    # The parser makes its parameters itself, from annotations; there is no saying of which class.
    for parameter in command.get_params(typer.Context(command)):
        if type(parameter) is TyperOption:
            parameter.__class__ = _Option
        elif type(parameter) is TyperArgument and parameter.callback is None:
            parameter.__class__ = _Argument
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            leave_text_alone(each)


def _is_ready(parameter: TyperOption | TyperArgument, value: object) -> bool:
    """Whether `value` is what the parser would make of it: text, or nothing where nothing is needed."""
    if parameter.multiple or parameter.nargs != 1:
        return False
    if value is None:
        return not parameter.required
    return parameter.type_descriptor.annotation is str and isinstance(value, str)
