"""The settings, as they are given."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from issuer.cli.errors import invalid_settings
from issuer.cli.options import Output, noun, say, write_table

app = noun("The settings.")


@app.command()
def show(output: Output = "text") -> None:
    """Show every setting, where it comes from, and what is wrong with it. Secrets are hidden.

    `--host` and `--port` of `hourmarkd serve` come before all of them.
    """
    from issuer import configuration

    found = configuration.read()
    if output == "json":
        typer.echo(json.dumps(asdict(found)))
    else:
        write_table(
            [setting.name, "-" if setting.value is None else setting.value, setting.where or setting.source]
            for setting in found.settings
        )
    for name in found.unknown:
        say(f"hourmarkd: {name} is passed over: there is no such setting")
    if found.problems:
        raise invalid_settings(*map(str, found.problems))
