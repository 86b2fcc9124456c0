"""Sign in, sign out, who am I, and a token for whoever wants one."""

from __future__ import annotations

import time
from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli.options import noun, with_session
from holder.cli.session import PROFILE_OPTION, Session, say
from holder.errors import HolderError, SignInNeeded, UsageError
from holder.profile import Profile

if TYPE_CHECKING:
    from holder.answers import IssuedToken
    from holder.credentials import Jwt

app = noun(
    """Sign in with a role key and keep it, or get a token.

    \b
    Examples:
      hourmark login --url https://issuer.example
      hourmark login --token-file FILE --profile staging
    """
)


@app.callback(invoke_without_command=True)
@with_session
def login(
    session: Session,
    api_token: Annotated[
        str | None,
        typer.Option(metavar="T", help="The role key. In a file or pasted it stays out of histories."),
    ] = None,
    token_file: Annotated[
        str | None, typer.Option(metavar="F", help='A file that holds the role key; "-" is standard input.')
    ] = None,
) -> None:
    """Keep a role key. Nothing here happens for `hourmark login token`."""
    given = [value for value in (api_token, token_file) if value is not None]
    if session.context.invoked_subcommand is not None:
        if given:
            raise UsageError(
                "`hourmark login token` takes no --api-token", hint="use --app-token, or sign in first"
            )
        return
    if len(given) > 1:
        raise UsageError("--api-token and --token-file exclude one another", hint="leave out one of them")
    if not given and (why := session.why_not_ask):
        raise UsageError(
            "Nothing to sign in with",
            why,
            "hourmark login --url URL with --token-file FILE (or - for standard input) or --api-token T",
        )
    from holder import credentials

    # Before anything is pasted: without an issuer it would be in vain.
    url = session.url
    if token_file is not None:
        source, text = "--token-file", credentials.read_file(token_file)
    elif api_token is not None:
        source, text = "--api-token", api_token
    else:
        source, text = "the prompt", _ask()
    credential = credentials.Credential.parse(text, source)
    if isinstance(credential.secret, credentials.Jwt):
        raise UsageError(
            "This is a token, not a role key",
            "a token lives for an hour at most, so it is not kept",
            "export HOURMARK_TOKEN with it, or make a role key: hourmark role key new ROLE",
        )
    me = session.issuer_for(credential).me()
    profile = Profile(session.profile_name, url, credential.bearer, me.principal)
    profile.save()
    say(f"Signed in as {me.principal} at {url}")
    say(f"The role key is kept in {profile.path}, which nobody else can read.")
    if session.profile_source == PROFILE_OPTION:
        say(f"To have it count without {PROFILE_OPTION}: hourmark context use {profile.name}")
    session.say_if_set("is set and goes before it", credentials.VARIABLE, credentials.FILE_VARIABLE)


def _ask() -> str:
    say("Paste a role key (access:secret); it is not shown.")
    return str(typer.prompt("Role key", hide_input=True, err=True))


@app.command("token")
@with_session
def token(
    session: Session,
    header: Annotated[
        bool, typer.Option("-H", "--header", help="As a header: Authorization: Bearer …")
    ] = False,
    min_ttl: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="How long it must live at least.")
    ] = 0,
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
    from holder import answers, credentials

    view = session.view(answers.names(answers.IssuedToken))
    if header and not view.is_plain:
        raise UsageError("-H and another form of output exclude one another", hint="leave out one of them")
    secret = session.credential.secret
    if isinstance(secret, credentials.Jwt):
        issued = _own_token(session, secret, resource, scope)
    else:
        issued = session.issuer().exchange(secret, resource=resource, scope=scope)
    if issued.expires_in < max(min_ttl, 1):
        raise SignInNeeded(
            "The token would not live long enough",
            f"{session.credential.source} gives {issued.expires_in} seconds, {max(min_ttl, 1)} were asked",
            "sign in with a credential that ends later: hourmark login",
            code="ttl_too_short",
        )
    if scope is not None and set(scope.split()) != set(issued.scope.split()):
        say(f"Granted: {issued.scope}")
    view.one(
        asdict(issued),
        plain=f"Authorization: Bearer {issued.access_token}" if header else issued.access_token,
    )


def _own_token(session: Session, jwt: Jwt, resource: str | None, scope: str | None) -> IssuedToken:
    """The credential itself, if it is what was asked for."""
    from holder import answers

    if scope is not None or (resource is not None and jwt.audience != [resource]):
        raise HolderError(
            "A token cannot be turned into another one here",
            f"the credential from {session.credential.source} is a token for {', '.join(jwt.audience)}",
            "use a role key: hourmark login",
            code="not_a_role_key",
        )
    own = jwt.unverified_claims.get("scope")
    return answers.IssuedToken(
        access_token=jwt.raw,
        token_type="Bearer",  # noqa: S106 - RFC 6750's name, no secret
        expires_in=int(jwt.seconds_left(time.time())),
        scope=own if isinstance(own, str) else "",
    )


@with_session
def logout(session: Session) -> None:
    """Forget the role key that is kept here.

    \b
    Example:
      hourmark logout --profile staging
    """
    from holder import credentials

    profile = session.profile
    if profile.token is None:
        say(f"The profile {profile.name} keeps no role key: nothing to forget.")
    else:
        profile.without_token().save()
        say(f"Signed out: the profile {profile.name} keeps no role key any more.")
        say(f"The role key itself still works until it is deleted: {_ending(profile)}")
    session.say_if_set("is set and still counts", credentials.VARIABLE, credentials.FILE_VARIABLE)


def _ending(signed_out: Profile) -> str:
    """What ends the role key that it kept."""
    access = (signed_out.token or "").partition(":")[0]
    kind, _, name = (signed_out.principal or "").partition(":")
    return f"hourmark role key delete {quote(name)} {quote(access)}" if kind == "role" else access


@with_session
def whoami(session: Session) -> None:
    """Show who the credential is, and what it may do.

    \b
    Examples:
      hourmark whoami
      hourmark whoami --field scope
    """
    from holder import answers

    view = session.view(answers.names(answers.Me))
    view.one(asdict(session.issuer().me()))
