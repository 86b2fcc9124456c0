"""`hourmarkd`: all commands, and what becomes of an error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from issuer.cli import audit, config, db, doctor, errors, export, init, keys, serve
from issuer.cli.options import noun

app = noun("The operator's command of a Hourmark issuer.")
app.command("init")(init.init)
app.command("serve")(serve.serve)
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(export.app, name="export")
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)
app.add_typer(audit.app, name="audit")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hourmarkd {version('hourmark')}")
        raise typer.Exit


@app.callback()
def hourmarkd(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """What stands before a command's name. The version's own callback does all there is to do."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command line, and ends the process with its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(_run(list(arguments), as_json=errors.wants_json(arguments)))


def _run(arguments: list[str], *, as_json: bool) -> int:
    """Every way in which the parser or a command can end.

    When whoever reads stdout has left, the parser ends the process with 1, as `head` wants it.
    """
    command = typer.main.get_command(app)
    try:
        code = command.main(arguments, prog_name="hourmarkd", standalone_mode=False)
    except typer.TyperException as error:
        return errors.report_usage(error, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return errors.report_interruption(as_json=as_json)
    except Exception as error:
        explained = errors.explain(error)
        if explained is None:
            raise
        return errors.report(explained, as_json=as_json)
    if code == errors.INTERRUPTED:  # the parser's own answer to Ctrl-C
        return errors.report_interruption(as_json=as_json)
    return code if isinstance(code, int) else errors.OK
