"""From nothing to an issuer that can start."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from issuer.cli.options import Output, read_settings


def init(
    admin: Annotated[str, typer.Option(help="name of the first user, who may do everything")],
    output: Output = "text",
) -> None:
    """Make schema, signing key and first user, and print once the admin's role key and set-up link."""
    from issuer.setup import initialise

    settings = read_settings()
    made = initialise(settings, admin)
    if output == "json":
        typer.echo(
            json.dumps(
                {
                    "issuer": settings.issuer_url,
                    "principal": made.principal,
                    "access": made.role_key.access,
                    "secret": made.role_key.secret,
                    "signing_key": made.kid,
                    "setup_url": made.setup_url,
                }
            )
        )
        return
    key = made.role_key.reveal()
    typer.echo(
        f"Made the database, the signing key {made.kid} and the first user, {made.principal}.\n\n"
        f"The role key of {made.principal} may do everything. It is shown this once:\n\n"
        f"    {key}\n\n"
        "Once the issuer runs, a first exchange, to copy and paste:\n\n"
        f"    curl -u '{key}' -d grant_type=client_credentials {settings.issuer_url}/v1/token\n\n"
        f"And within ten minutes, once, {made.principal} sets up how to sign in, in a browser:\n\n"
        f"    {made.setup_url}\n"
    )
