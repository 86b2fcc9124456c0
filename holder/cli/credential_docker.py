"""Docker's credential helper, and how it is installed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, NoReturn

import typer

from holder.cli.options import noun, with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, SignInNeeded
from holder.holder import Holder

app = noun(
    """Docker gets a new token each time, so that none is kept in its config.json.

    \b
    Examples:
      hourmark credential docker install registry.example:5000
    """
)
_LEAST_SECONDS = 1800
"""A push goes on for long: a token that is about to end is not given out again."""
_MAX_CHARACTERS = 64 * 1024


@app.command("install")
@with_session
def install(
    session: Session,
    registry: Annotated[str, typer.Argument(metavar="REGISTRY", help="HOST or HOST:PORT.")],
) -> None:
    """Have docker ask hourmark for the credentials of a registry.

    \b
    Examples:
      hourmark credential docker install registry.example:5000
    """
    from holder.credential_helpers import docker

    view = session.view(("registry", "helper", "config"))
    address = docker.address(registry)
    with docker.changing(session.environ) as config:
        earlier = config.helper_of(address)
        if earlier != docker.NAME:
            config.install(address)
    view.one(
        {"registry": address, "helper": docker.NAME, "config": str(config.path)},
        plain=f"{address} {config.path}",
    )
    if earlier not in (None, docker.NAME):
        say(f"Before, docker-credential-{earlier} was asked for {address}.")
    if config.keeps_password(address):
        say(f"{config.path} still keeps what docker had for {address}: docker logout {address} removes it.")
    if shutil.which(f"docker-credential-{docker.NAME}") is None:
        say(f"docker must find docker-credential-{docker.NAME} on its PATH; here it is on none.")


def get(given: str, environ: Mapping[str, str]) -> str:
    """A new token for a registry. Raises NothingForDocker, HolderError."""
    from holder.credential_helpers import docker

    if given not in docker.DockerConfig.load(environ).registries:
        raise docker.NothingForDocker
    holder = Holder(environ=environ)
    try:
        return docker.answer(given, _secret(holder))
    except SignInNeeded as error:
        raise docker.NothingForDocker(error) from error
    except HolderError as error:
        if error.code != "invalid_scope":
            raise
        raise docker.NothingForDocker(docker.no_right(holder.offer.principal)) from error
    finally:
        holder.close()


def store(given: str, environ: Mapping[str, str]) -> str:
    """Nothing is kept. Raises HolderError."""
    from holder.credential_helpers import docker

    del environ
    docker.check_stored(given)
    return ""


def erase(given: str, environ: Mapping[str, str]) -> str:
    """Nothing was kept: `hourmark logout` signs out."""
    del given, environ
    return ""


def list_(given: str, environ: Mapping[str, str]) -> str:
    """The registries that are installed, with the user's name at each."""
    from holder.credential_helpers import docker

    del given
    return json.dumps(dict.fromkeys(docker.DockerConfig.load(environ).registries, docker.USER))


VERBS: Mapping[str, Callable[[str, Mapping[str, str]], str]]
VERBS = {"get": get, "store": store, "erase": erase, "list": list_}
"""From what docker writes to stdin to what it reads."""


def main() -> NoReturn:
    """`docker-credential-hourmark get|store|erase|list`.

    Docker takes what is on stdout for the error, and shows it; it goes on without a credential if that says
    that there is none. What people need to hear then is on stderr, which it hands on.
    """
    from holder.credential_helpers.docker import NOT_FOUND, NothingForDocker

    verb = VERBS.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if verb is None:
        say(f"docker calls this: docker-credential-hourmark {'|'.join(VERBS)}")
        sys.exit(2)
    try:
        answer = verb(sys.stdin.read(_MAX_CHARACTERS).strip(), os.environ)
    except NothingForDocker as nothing:
        answer, code = NOT_FOUND, 1
        if nothing.reason is not None:
            say(_in_a_line(nothing.reason))
    except HolderError as error:
        answer, code = _in_a_line(error), 1
        say(answer)  # some commands of docker drop what is on stdout, and ask as nobody
    else:
        code = 0
    if answer:
        typer.echo(answer)
    sys.exit(code)


def _in_a_line(error: HolderError) -> str:
    return f"{error}: {error.hint}" if error.hint else str(error)


def _secret(holder: Holder) -> str:
    """A token that is good at the issuer alone, for what registries need. What gives no such token, as it is:
    a token that is all there is, and an API token that was made for other services than the issuer, as those
    for one registry are. It goes nowhere else than a token would, and is narrow by itself.

    Raises HolderError.
    """
    from holder.credential_helpers.docker import SCOPE
    from holder.credentials import Jwt
    from keys import RoleKey

    if not holder.offer.gives_tokens and isinstance(holder.credential.secret, Jwt):
        return holder.token().access_token
    try:
        return holder.token(resource=holder.url, scope=SCOPE, min_ttl=_LEAST_SECONDS).access_token
    except HolderError as error:
        secret = holder.credential.secret
        if error.code != "invalid_target" or not isinstance(secret, RoleKey):
            raise
        return secret.reveal()
