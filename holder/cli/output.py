"""Data on stdout, in the form that was asked for: table, json, yaml, text, a template or one field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import typer

from holder.errors import UsageError

_PLACE = re.compile(r"\{\{\s*\.(\w+)\s*\}\}", re.ASCII)
_ESCAPES = {r"\n": "\n", r"\t": "\t"}
_GAP = "  "
Item = Mapping[str, object]


class Format(StrEnum):
    """The forms. `text` is for scripts: values alone, tabs between them, a line an item."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    TEXT = "text"


class View:
    """Shows items that have certain fields.

    It is made before the request: a wrong template must not cost a secret that is shown once.
    """

    def __init__(
        self,
        fields: Sequence[str],
        output: Format | None,
        template: str | None,
        field: str | None,
        *,
        usual: Format = Format.TABLE,
        shown_once: str | None = None,
    ) -> None:
        """shown_once: the field that nothing shows again, so that no other may be shown without it.

        Raises UsageError if the options contradict one another or name a field that is not there.
        """
        self._fields = list(fields)
        self._format = output or usual
        self._line: Callable[[Item], str] | None = None
        if template is not None and field is not None:
            raise UsageError(
                "--format-template and --field exclude one another", hint="leave out one of them"
            )
        if template is None and field is None:
            return
        self._line = _pick(field, fields) if field is not None else _compile(template or "", fields)
        picked = _picked(field, template, fields)
        if shown_once is not None and shown_once not in picked:
            raise UsageError(
                f"The {shown_once.replace('_', ' ')} is shown this once, and {', '.join(picked)} is not it",
                "nothing was done",
                f"--field {shown_once}, or -o json for all of it",
            )
        if output in (Format.JSON, Format.YAML):
            raise UsageError(
                f"A template or a field is text, not {output}", hint="leave out -o, or the template or field"
            )

    @property
    def is_plain(self) -> bool:
        """Whether no form was asked for but the one for people."""
        return self._line is None and self._format is Format.TABLE

    def one(self, item: Item, plain: str | None = None) -> None:
        """One item; `plain` stands in for its table."""
        if self._line is not None:
            text = self._line(item)
        elif self._format is Format.TABLE and plain is not None:
            text = plain
        elif self._format is Format.TABLE:
            text = aligned([(name, value) for name, value in item.items() if value not in (None, "", [])])
        elif self._format is Format.TEXT:
            text = _text_line(item)
        else:
            text = _document(dict(item), self._format)
        typer.echo(text)

    def many(
        self, items: Iterable[Item], *, columns: Sequence[str] = (), none: str = "There is none."
    ) -> None:
        """A list, which may be empty (`none` says so); a table has these columns alone, if there are any.

        A line an item is shown as it comes: `| head` ends a long one early.
        """
        if self._line is not None or self._format is Format.TEXT:
            for item in items:
                typer.echo((self._line or _text_line)(item))
            return
        rows = list(items)
        if self._format is not Format.TABLE:
            typer.echo(_document([dict(item) for item in rows], self._format))
        elif rows:
            typer.echo(_table(columns or self._fields, rows))
        else:
            typer.echo(none, err=True)


def aligned(lines: Sequence[tuple[str, object]]) -> str:
    """Names and values, each in a column. A name that comes again is not said again."""
    width = max((len(name) for name, _ in lines), default=0) + len(":")
    before = ["", *(name for name, _ in lines)]
    return "\n".join(
        f"{'' if name == last else name + ':':{width}} {_cell(value)}"
        for (name, value), last in zip(lines, before, strict=False)
    )


def printable(text: str) -> str:
    """`text` without characters that would steer a terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _picked(field: str | None, template: str | None, fields: Sequence[str]) -> list[str]:
    """The fields that are named."""
    names = [field] if field is not None else _PLACE.findall(template or "")
    return [_known(name, fields) for name in names]


def _pick(name: str, fields: Sequence[str]) -> Callable[[Item], str]:
    """One field. Raises UsageError."""
    known = _known(name, fields)
    return lambda item: _value(item.get(known))


def _compile(template: str, fields: Sequence[str]) -> Callable[[Item], str]:
    """Go's `{{.FieldName}}`. Raises UsageError."""
    places = {name: _known(name, fields) for name in _PLACE.findall(template)}
    if "{{" in _PLACE.sub("", template):
        raise UsageError(
            "The template has a part that is no field",
            "nothing but names of fields can be between {{ and }}",
            f"write {{{{.{_go_name(fields[0])}}}}}",
        )
    for escape, character in _ESCAPES.items():
        template = template.replace(escape, character)
    return lambda item: _PLACE.sub(lambda place: _value(item.get(places[place[1]])), template)


def _known(name: str, fields: Sequence[str]) -> str:
    """The field of that name: case and underscores do not count. Raises UsageError, which names them all."""
    for field in fields:
        if field.replace("_", "").lower() == name.replace("_", "").lower():
            return field
    raise UsageError(
        f"There is no field {name[:40]!r}",
        f"the fields are {', '.join(map(_go_name, fields))}",
        f"name one of them, for example {_go_name(fields[0])}",
    )


def _go_name(field: str) -> str:
    return "".join(part.capitalize() for part in field.split("_"))


def _document(data: object, output: Format) -> str:
    if output is Format.JSON:
        return json.dumps(data, indent=2)
    import yaml

    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip("\n")


def _table(fields: Sequence[str], rows: Sequence[Item]) -> str:
    cells = [[name.replace("_", " ").upper() for name in fields]]
    cells += [[_cell(row.get(name)) for name in fields] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _text_line(item: Item) -> str:
    return "\t".join(_value(value) for value in item.values())


def _cell(value: object) -> str:
    return printable(_value(value)) or "-"


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value)
