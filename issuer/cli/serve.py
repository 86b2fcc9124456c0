"""Running the issuer."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from issuer.cli.options import read_settings, say


def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
    workers: Annotated[int, typer.Option(min=1, help="number of processes")] = 1,
) -> None:
    """Run the issuer."""
    for name, value in (("HOURMARKD_HOST", host), ("HOURMARKD_PORT", port)):
        if value is not None:
            # Workers are processes of their own: they read what they need from the environment.
            os.environ[name] = str(value)
    from issuer import serving

    settings = read_settings()
    listener = serving.listen(settings.host, settings.port)
    serving.rehearse(settings)
    say(f"Hourmark's issuer {settings.issuer_url} listens on {settings.host}:{settings.port}")
    if not serving.run(settings, listener, workers=workers):
        raise typer.Exit(1)
