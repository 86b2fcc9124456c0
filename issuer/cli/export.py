"""Files for other programs, ready to use."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from issuer.cli.errors import CommandError, invalid_settings
from issuer.cli.options import noun, read_settings, say

if TYPE_CHECKING:
    from issuer.gateway.configurations.asked import AskedIssuer

app = noun("Files for programs that work with this issuer.")
Folder = Annotated[
    Path | None,
    typer.Option("--output", metavar="DIR", help="where the files are written, instead of stdout"),
]
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="URL", help="where the proxy reaches the issuer; by default its URL"),
]


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


@app.command()
def nginx(output: Folder = None, address: Address = None) -> None:
    """Write what protects apps behind nginx: four files to include. They hold the proxy's secret."""
    from issuer.gateway.configurations import nginx as configuration

    _write(configuration.files, output, address)


@app.command()
def caddy(output: Folder = None, address: Address = None) -> None:
    """Write what protects apps behind Caddy: a file to import. It holds the proxy's secret."""
    from issuer.gateway.configurations import caddy as configuration

    _write(configuration.files, output, address)


@app.command()
def traefik(output: Folder = None, address: Address = None) -> None:
    """Write what protects apps behind Traefik: a middleware. It holds the proxy's secret."""
    from issuer.gateway.configurations import traefik as configuration

    _write(configuration.files, output, address)


def _write(files: Callable[[AskedIssuer], dict[str, str]], output: Path | None, address: str | None) -> None:
    from issuer.gateway.configurations.asked import AskedIssuer

    issuer = AskedIssuer.of(read_settings(), address)
    if issuer is None:
        raise CommandError(
            "no proxy can prove itself yet",
            code="invalid_setting",
            hint="set HOURMARKD_FORWARD_AUTH_SECRET, for example to what `openssl rand -hex 32` prints, or "
            "HOURMARKD_FORWARD_AUTH_PROXIES to the addresses that proxies ask from",
        )
    if output is None:
        for name, text in files(issuer).items():
            typer.echo(f"# {name}\n{text}")
        return
    output.mkdir(parents=True, exist_ok=True)
    for name, text in files(issuer).items():
        _write_secret(output / name, text)
        say(f"Wrote {output / name}.")


def _write_secret(path: Path, text: str) -> None:
    """Readable by its owner alone; replaced at once, by one that belongs to whom it was given meanwhile."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if path.exists():
        before = path.stat()
        os.chown(new, before.st_uid, before.st_gid)
        new.chmod(stat.S_IMODE(before.st_mode))
    new.replace(path)
