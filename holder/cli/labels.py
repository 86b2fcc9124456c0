"""Labels on the command line: `-l name=value`, as often as there are labels."""

from __future__ import annotations

from typing import Annotated

import typer

from holder.errors import UsageError

Labels = Annotated[
    list[str] | None,
    typer.Option("-l", "--label", metavar="NAME=VALUE", help="May be given again."),
]


def read_labels(given: list[str]) -> dict[str, str]:
    """Raises UsageError."""
    labels: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--label {text[:80]!r} is none", "it is NAME=VALUE", "-l team=nlp")
        if labels.get(name, value) != value:
            raise UsageError(
                f"--label {name} is given twice", "a label has one value", "leave out one of them"
            )
        labels[name] = value
    return labels
