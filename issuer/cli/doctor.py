"""What is wrong, and what mends it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.cli.errors import ERROR
from issuer.cli.options import Output

if TYPE_CHECKING:
    from issuer.doctor import Finding


def doctor(
    registry: Annotated[
        list[str] | None,
        typer.Option("--registry", metavar="URL", help="a docker registry that trusts this issuer"),
    ] = None,
    output: Output = "text",
) -> None:
    """Check settings, files, database, keys, status list, audit chain, the running service and registries.

    Changes nothing. Exit code 1 if there is a failure; a warning is none.
    """
    from issuer.doctor import Level, examine

    findings = examine(asked=registry or ())
    found = list(findings) if output == "json" else list(_told(findings))
    if output == "json":
        typer.echo(json.dumps([asdict(finding) for finding in found]))
    if any(finding.level is Level.FAILURE for finding in found):
        raise typer.Exit(ERROR)


def _told(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Each is said when it is found: some are waited for."""
    for finding in findings:
        typer.echo(f"{finding.level:<7}  {finding.check}: {finding.said}")
        if finding.mend is not None:
            typer.echo(f"         {finding.mend}")
        yield finding
