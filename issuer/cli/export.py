"""Files for other programs, ready to use."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path, PurePath
from typing import Annotated

import typer

from issuer.cli.errors import invalid_settings
from issuer.cli.options import noun, read_settings, say

app = noun("Files for programs that work with this issuer.")


@app.command()
def registry(
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="where the files are written; made if need be")
    ],
    service: Annotated[
        str | None,
        typer.Option(help="one of HOURMARKD_REGISTRY_SERVICES; without it, the only one"),
    ] = None,
    path: Annotated[
        PurePath | None,
        typer.Option(metavar="DIR", help="where the registry finds them, if that is somewhere else"),
    ] = None,
) -> None:
    """Write whom a docker registry trusts, and the part of its config.yml that says so."""
    from issuer.public_keys import replace_file
    from issuer.registry.trust_files import trust_files
    from issuer.setup import open_database, read_key_encryption_key
    from issuer.signing import SigningKeys

    settings, now = read_settings(), int(time.time())
    known = settings.registry_services
    chosen = known[0] if service is None and len(known) == 1 else service
    if chosen not in known:
        named = "no registry is named" if chosen is None else f"{chosen} is no registry service"
        there = f"there are {', '.join(known)}" if known else "HOURMARKD_REGISTRY_SERVICES is empty"
        raise invalid_settings(f"{named}: {there}")
    with closing(open_database(settings)) as database:
        signing = SigningKeys(database, read_key_encryption_key(settings), settings)
        signing.load(now)
        if signing.successor_is_due(now):
            # Whoever starts with these files shall know the keys that sign next, too.
            signing.make_successor(now)
        files = trust_files(settings, signing, chosen, path or output.resolve(), now)
    output.mkdir(parents=True, exist_ok=True)
    for name, content in files.by_name().items():
        replace_file(output / name, content)
        say(f"Wrote {output / name}.")
    say("Restart the registry: it reads them when it starts.")
