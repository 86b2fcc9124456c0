"""A token for whoever wants one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from holder.cli import login
from holder.cli.options import with_session
from holder.cli.session import Session, say
from holder.errors import SignInNeeded, UsageError

app = login.app


@app.command("token")
@with_session
def token(
    session: Session,
    header: Annotated[
        bool, typer.Option("-H", "--header", help="As a header: Authorization: Bearer …")
    ] = False,
    min_ttl: Annotated[
        int | None,
        typer.Option(min=0, metavar="SECONDS", help="How long it must live at least."),
    ] = None,
    resource: Annotated[str | None, typer.Option(metavar="AUD", help="The service that it is for.")] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="S", help="Narrower: permissions, space between them.")
    ] = None,
) -> None:
    """Print a token that lives for an hour at most.

    \b
    Examples:
      curl -H "$(hourmark login token -H)" https://api.example
      hourmark login token --resource https://api.example --scope data:get@my-set
    """
    from holder import answers

    view = session.view(answers.names(answers.IssuedToken))
    if header and not view.is_plain:
        raise UsageError("-H and another form of output exclude one another", hint="leave out one of them")
    issued = session.token(resource=resource, scope=scope, min_ttl=min_ttl)
    if issued.expires_in < max(min_ttl or 0, 1):
        raise SignInNeeded(
            "The token would not live long enough",
            f"{session.offer.source} gives {issued.expires_in} seconds, {max(min_ttl or 0, 1)} were asked",
            "sign in with a credential that ends later: hourmark login",
            code="ttl_too_short",
        )
    if scope is not None and set(scope.split()) != set(issued.scope.split()):
        say(f"Granted: {issued.scope}")
    view.one(
        asdict(issued),
        plain=f"Authorization: Bearer {issued.access_token}" if header else issued.access_token,
    )
