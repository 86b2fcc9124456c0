"""hourmarkd: the operator's command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from issuer.settings import Settings

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
db = typer.Typer(no_args_is_help=True, help="The database's schema.")
keys = typer.Typer(no_args_is_help=True, help="The signing keys.")
audit = typer.Typer(no_args_is_help=True, help="Who changed what.")
cli.add_typer(db, name="db")
cli.add_typer(audit, name="audit")
cli.add_typer(keys, name="keys")

Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="text or json")]


@cli.command()
def init(
    admin: Annotated[str, typer.Option(help="name of the first user, who may do everything")],
    output: Output = "text",
) -> None:
    """Make schema, signing key and first user, and print once the admin's role key."""
    with _explained():
        from issuer.setup import initialise

        settings = _settings()
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
        f"    curl -u '{key}' -d grant_type=client_credentials {settings.issuer_url}/v1/token\n"
    )


@cli.command()
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
    with _explained():
        from issuer import serving

        settings = _settings()
        listener = serving.listen(settings.host, settings.port)
        serving.rehearse(settings)
    typer.echo(
        f"Hourmark's issuer {settings.issuer_url} listens on {settings.host}:{settings.port}", err=True
    )
    if not serving.run(settings, listener, workers=workers):
        sys.exit(1)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version's schema."""
    with _explained():
        from issuer.setup import upgrade

        upgrade(_settings())
    typer.echo("The schema is current.", err=True)


@keys.command("list")
def keys_list(output: Output = "text") -> None:
    """Show every signing key and its phase."""
    with _explained():
        import time

        from issuer import rfc3339
        from issuer.setup import open_database, read_key_encryption_key
        from issuer.signing import SigningKeys

        settings, now = _settings(), int(time.time())
        signing = SigningKeys(open_database(settings), read_key_encryption_key(settings), settings)
        signing.load(now)
    rows = [
        {
            "kid": row.kid,
            "algorithm": key.algorithm.name,
            "phase": phase.value,
            "published_at": rfc3339.write(row.published_at),
            "signs_from": rfc3339.write(row.signs_from),
        }
        for row, key, phase in signing.phases(now)
    ]
    if output == "json":
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("  ".join(row.values()))


@audit.command("verify")
def audit_verify() -> None:
    """Check that no row of the audit chain was changed, put in, or removed from between others."""
    with _explained():
        from issuer.setup import open_database
        from issuer.store.audit import check_chain

        database = open_database(_settings())
        with database.read() as session:
            broken = check_chain(session).first_broken
        database.close()
    if broken is not None:
        _fail(f"the audit chain is broken at row {broken}")
    typer.echo("The audit chain holds.", err=True)


def _settings() -> Settings:
    """The settings; says which names it passes over."""
    from issuer.settings import Settings, unknown_names

    for name in unknown_names():
        typer.echo(f"hourmarkd: {name} is passed over: there is no such setting", err=True)
    return Settings()


@contextmanager
def _explained() -> Iterator[None]:
    """What an operator can mend is said in one line."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError
    from sqlalchemy.exc import SQLAlchemyError

    from issuer.serving import PortTaken
    from issuer.setup import SetupError
    from issuer.status import OtherIssuer
    from issuer.store.database import StoreUnavailable
    from issuer.store.principals import InvalidName
    from keys import SealBroken

    try:
        yield
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            name, message = (
                "_".join(map(str, wrong["loc"])).upper(),
                wrong["msg"].removeprefix("Value error, "),
            )
            typer.echo(
                f"hourmarkd: HOURMARKD_{name}: {message}" if name else f"hourmarkd: {message}", err=True
            )
        sys.exit(2)
    except SettingsError as error:
        typer.echo(f"hourmarkd: {error}", err=True)
        sys.exit(2)
    except (SetupError, PortTaken, OtherIssuer, StoreUnavailable, InvalidName, SealBroken) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ModuleNotFoundError as error:
        _fail(f"HOURMARKD_DATABASE_URL: its driver {error.name} is not installed")
    except UnicodeDecodeError:
        _fail("the key-encryption key's file holds no text: was another file named?")
    except SQLAlchemyError as error:
        # The driver's text may hold the database's password.
        _fail(f"the database does not answer ({type(error).__name__}): check HOURMARKD_DATABASE_URL")


def _fail(text: str) -> NoReturn:
    typer.echo(f"hourmarkd: {text}", err=True)
    sys.exit(1)


def main() -> None:
    try:
        cli()
    except ModuleNotFoundError as error:
        _fail(f"{error.name} is not installed: the service needs `pip install 'hourmark[issuer]'`")
