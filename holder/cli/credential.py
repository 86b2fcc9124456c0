"""Credential helpers: other tools run these when they need a credential, and read what they print."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from holder.cli import credential_docker
from holder.cli.moments import parse_duration
from holder.cli.options import noun, with_session
from holder.cli.session import Session

app = noun("Fresh tokens for other tools, in the words of each.")
app.add_typer(credential_docker.app, name="docker")
Resource = Annotated[str | None, typer.Option(metavar="AUD", help="The service that the token is for.")]
Scope = Annotated[str | None, typer.Option(metavar="S", help="Narrower: permissions, space between them.")]
STS_AUDIENCE = "sts.amazonaws.com"
"""What AWS expects a token to be for, unless its identity provider was set up otherwise."""
_MAX_CHARACTERS = 64 * 1024


@app.command()
@with_session
def git(
    session: Session,
    operation: Annotated[str, typer.Argument(metavar="get", help="What git asks for; git adds it itself.")],
    *,
    host: Annotated[str, typer.Option(metavar="HOST", help="Whom the token may go to: HOST or HOST:PORT.")],
    username: Annotated[str, typer.Option(metavar="N", help="The user name beside it.")] = "hourmark",
    resource: Resource = None,
    scope: Scope = None,
) -> None:
    """Be git's credential helper for one host. Nothing is stored, so there is nothing to erase.

    \b
    Example:
      git config --global credential.https://git.example.helper \\
        '!hourmark credential git --host git.example'
    """
    from holder.credential_helpers import git as helper

    if operation != "get":
        return  # the protocol wants what is not known ignored
    helper.check_host(host)
    asked = sys.stdin.read(_MAX_CHARACTERS)
    told = helper.answer(asked, host, username, lambda: session.token(resource=resource, scope=scope))
    typer.echo(told, nl=False)


@app.command()
@with_session
def kubernetes(session: Session, resource: Resource = None, scope: Scope = None) -> None:
    """Be kubectl's credential plugin: prints an ExecCredential.

    \b
    Example, in words and in a kubeconfig:
      hourmark credential kubernetes --resource https://cluster.example
      users:
      - name: me
        user:
          exec:
            apiVersion: client.authentication.k8s.io/v1
            interactiveMode: Never
            command: hourmark
            args: [credential, kubernetes, --resource, https://cluster.example]
    """
    import json

    from holder.credential_helpers import kubernetes as plugin

    version = plugin.version_of(session.environ.get(plugin.VARIABLE))
    issued = session.token(resource=resource, scope=scope)
    typer.echo(json.dumps(plugin.answer(version, issued, time.time())))


@app.command()
@with_session
def aws(
    session: Session,
    *,
    role_arn: Annotated[str, typer.Option(metavar="ARN", help="The role whose keys are wanted.")],
    sts_endpoint: Annotated[
        str, typer.Option(metavar="URL", help="STS, or what speaks as it does, where the token goes.")
    ],
    session_name: Annotated[
        str, typer.Option(metavar="N", help="What AWS's logs call the session.")
    ] = "hourmark",
    duration: Annotated[str, typer.Option(metavar="SPAN", help="How long the keys live.")] = "1h",
    resource: Resource = STS_AUDIENCE,
    scope: Scope = None,
) -> None:
    """Be AWS's credential_process: prints keys of a role, got for a token of ours.

    \b
    Example, in ~/.aws/config:
      [profile reader]
      credential_process = hourmark credential aws
        --role-arn arn:aws:iam::123456789012:role/reader
        --sts-endpoint https://sts.eu-central-1.amazonaws.com
    """
    import json

    from holder.credential_helpers import aws as process

    seconds = int(parse_duration(duration, "--duration").total_seconds())
    process.check(sts_endpoint, role_arn)
    raw = session.token(resource=resource, scope=scope).access_token
    typer.echo(json.dumps(process.assume_role(sts_endpoint, role_arn, session_name, seconds, raw)))
