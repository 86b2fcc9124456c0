"""Signing in: as a user, in a browser here or elsewhere, or with a role key."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli.options import noun, with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, UsageError
from holder.holder import PROFILE_OPTION
from holder.profile import Profile

if TYPE_CHECKING:
    from holder.answers import DeviceAuthorization

_CREATE, _PASTE = "create", "paste"
_WAYS = {"1": _CREATE, "2": "--web", "3": _PASTE}

app = noun(
    """Sign in as a user, or with a role key, or get a token.

    \b
    Examples:
      hourmark login --url https://issuer.example
      hourmark login --device
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
    web: Annotated[bool, typer.Option("--web", help="Sign in with the browser on this computer.")] = False,
    device: Annotated[
        bool, typer.Option("--device", help="Sign in with a browser anywhere, by a code.")
    ] = False,
) -> None:
    """Keep a sign-in or a role key. Nothing here happens for `hourmark login token`."""
    ways = {"--api-token": api_token, "--token-file": token_file, "--web": web, "--device": device}
    given = [way for way, value in ways.items() if value not in (None, False)]
    if session.context.invoked_subcommand is not None:
        if given:
            raise UsageError(f"`hourmark login token` takes no {given[0]}", hint="sign in first")
        return
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude one another", hint="leave out all but one of them")
    if not given and (why := session.why_not_ask):
        raise UsageError(
            "Nothing to sign in with",
            why,
            "hourmark login --url URL with --device, --token-file FILE (- is stdin) or --api-token T",
        )
    from holder import credentials

    # Before anything is asked or pasted: without an issuer it would be in vain.
    way, url = given[0] if given else _ask_how(), session.url
    if way in ("--web", "--device"):
        profile = _sign_in(session, url, in_browser=way == "--web" and (web or _has_browser()))
    else:
        profile = _keep_role_key(session, url, way, api_token, token_file)
    if session.profile_source == PROFILE_OPTION:
        say(f"To have it count without {PROFILE_OPTION}: hourmark context use {profile.name}")
    session.say_if_set("is set and goes before it", *credentials.VARIABLES)


def _ask_how() -> str:
    """Which way the user wants."""
    say("How do you want to sign in?")
    say("  1  create a new API token in the browser")
    say("  2  sign in with the browser")
    say("  3  paste a token")
    while True:
        # The library's own prompt would write to stdout, which is for data.
        typer.echo("Choose [2]: ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            raise typer.Abort
        way = _WAYS.get(line.strip() or "2")
        if way is not None:
            return way
        say("That is none of them: type 1, 2 or 3.")


def _has_browser() -> bool:
    """Not where somebody is logged in from afar: it would open before nobody's eyes."""
    import webbrowser

    if any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _sign_in(session: Session, url: str, *, in_browser: bool) -> Profile:
    """As a user; what lasts is kept."""
    import dataclasses

    from holder import authorization, credentials
    from holder.sign_ins import FILE, SignIn

    issuer = session.authorization_server()
    issued = (
        authorization.by_browser(issuer, _open) if in_browser else authorization.by_device(issuer, _show_code)
    )
    credential = credentials.Credential.parse(issued.access_token, "the sign-in")
    me = session.issuer_for(credential).me()
    profile = Profile(session.profile_name, url, principal=me.principal, sign_in=FILE)
    kept, earlier = SignIn(profile), _earlier(session)
    place = kept.begin(issued, url, ends=earlier, revoke=lambda token: _revoke(session, earlier, token))
    profile = dataclasses.replace(profile, sign_in=place)
    profile.save()
    say(_signed_in(me.principal, url))
    if profile.sign_in == FILE:
        say(f"There is no keyring here: the sign-in is kept in {kept.place}, which nobody else can read.")
    return profile


def _earlier(session: Session) -> Profile | None:
    """What the profile kept of a user's sign-in, which ends when another takes its place."""
    try:
        kept = Profile.load(session.profile_name)  # signing in may have taken minutes
        return kept if kept.sign_in else None
    except HolderError:
        return None


def _revoke(session: Session, earlier: Profile | None, token: str) -> None:
    """An issuer that is gone keeps nobody from signing in at another."""
    from holder import authorization

    if earlier is None:
        return
    try:
        authorization.revoke(session.authorization_server(earlier.url), token)
    except HolderError as error:
        say(f"The sign-in before, as {earlier.principal} at {earlier.url}, was not ended there: {error}")


def _signed_in(principal: str, url: str) -> str:
    from urllib.parse import urlsplit

    return f"Signed in as {principal.removeprefix('user:')} in {urlsplit(url).netloc}"


def _open(url: str) -> None:
    import webbrowser

    say(f"Go on in the browser. If it does not open by itself, open this there:\n{url}")
    webbrowser.open(url)


def _show_code(begun: DeviceAuthorization) -> None:
    say(f"Open {begun.verification_uri} in any browser and type the code {begun.user_code}")
    if begun.verification_uri_complete:
        say(f"Or open {begun.verification_uri_complete}")


def _keep_role_key(
    session: Session, url: str, way: str, api_token: str | None, token_file: str | None
) -> Profile:
    from holder import credentials
    from holder.sign_ins import SignIn
    from keys import RoleKey

    if token_file is not None:
        text = credentials.read_file(token_file)
    elif api_token is not None:
        text = api_token
    else:
        if way == _CREATE:
            _open(_page_of_new_token(url))
        way, text = "the prompt", _ask()
    credential = credentials.Credential.parse(text, way)
    if not isinstance(credential.secret, RoleKey):
        raise UsageError(
            "This is no role key",
            "a token lives for an hour at most, and a ticket as long as its job: neither is kept",
            "export HOURMARK_TOKEN with it, or make a role key: hourmark role key new ROLE",
        )
    me = session.issuer_for(credential).me()
    profile = Profile(session.profile_name, url, credential.bearer, me.principal)
    if (earlier := _earlier(session)) is not None:
        SignIn(earlier).end(lambda token: _revoke(session, earlier, token))
    profile.save()
    say(_signed_in(me.principal, url))
    say(f"The role key is kept in {profile.path}, which nobody else can read.")
    return profile


def _page_of_new_token(url: str) -> str:
    """With a name filled in by which the token is known again."""
    import platform
    from urllib.parse import quote

    name = f"hourmark on {platform.node() or 'this computer'}"
    return f"{url}/tokens/new?name={quote(name)}"


def _ask() -> str:
    say("Paste a role key (access:secret); it is not shown.")
    return str(typer.prompt("Role key", hide_input=True, err=True))
