"""`hourmarkd`: all commands, and what becomes of an error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from issuer.cli import audit, config, db, doctor, errors, init, keys, serve
from issuer.cli.options import noun, say

app = noun("The operator's command of a Hourmark issuer.")
app.command("init")(init.init)
app.command("serve")(serve.serve)
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)
app.add_typer(audit.app, name="audit")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command line, and ends the process with its exit code. The parser explains its own errors."""
    command = typer.main.get_command(app)
    try:
        command.main(sys.argv[1:] if arguments is None else list(arguments), prog_name="hourmarkd")
    except Exception as error:
        explanation = errors.explain(error)
        if explanation is None:
            raise
        for line in explanation.lines:
            say(f"hourmarkd: {line}")
        sys.exit(explanation.exit_code)
    sys.exit(errors.OK)
