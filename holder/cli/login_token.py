"""A token for whoever wants one."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli import login
from holder.cli.options import with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, SignInNeeded, UsageError

if TYPE_CHECKING:
    from holder.answers import IssuedToken
    from holder.credentials import Jwt


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
    issued = _issued(session, resource, scope, min_ttl)
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


def _issued(session: Session, resource: str | None, scope: str | None, min_ttl: int | None) -> IssuedToken:
    """From the sign-in, the role key or the token that counts."""
    from holder import credentials

    if session.offer.is_sign_in:
        return session.token_of_sign_in(session.profile, resource=resource, scope=scope, min_ttl=min_ttl)
    secret = session.credential.secret
    if isinstance(secret, credentials.Jwt):
        return _own_token(session, secret, resource, scope)
    issuer = session.issuer_for(session.credential)
    if isinstance(secret, credentials.Ticket):
        return issuer.exchange_ticket(secret, resource=resource, scope=scope)
    return issuer.exchange(secret, resource=resource, scope=scope)


def _own_token(session: Session, jwt: Jwt, resource: str | None, scope: str | None) -> IssuedToken:
    """The credential itself, if it is what was asked for."""
    from holder import answers

    if scope is not None or (resource is not None and jwt.audience != [resource]):
        raise HolderError(
            "A token is printed as it is: not narrower, and for no other service",
            f"the credential from {session.credential.source} is a token for {', '.join(jwt.audience)}",
            "use a role key, or sign in: hourmark login",
            code="not_a_role_key",
        )
    own = jwt.unverified_claims.get("scope")
    return answers.IssuedToken(
        access_token=jwt.raw,
        token_type="Bearer",  # noqa: S106 - RFC 6750's name, no secret
        expires_in=int(jwt.seconds_left(time.time())),
        scope=own if isinstance(own, str) else "",
    )
