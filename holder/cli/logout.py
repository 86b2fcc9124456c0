"""Signing out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from holder.cli.options import with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, SignInNeeded, UsageError
from holder.profile import Profile

if TYPE_CHECKING:
    from holder.credentials import Ticket


@with_session
def logout(session: Session) -> None:
    """End the sign-in, or forget the role key, that is kept here. In a job, end the tokens that it got.

    Where another credential counts (HOURMARK_TOKEN is set, or `hourmark exec` or a job runs this), what is
    kept stays, unless --profile names it.

    \b
    Examples:
      hourmark logout
      hourmark logout --profile staging
    """
    from holder import credentials

    if session.given and not session.choices.profile:
        _end_given(session)
        return
    profile = session.profile
    if profile.sign_in is not None:
        _end(session, profile)
    elif profile.token is None:
        raise SignInNeeded(
            "You are not signed in",
            f"the profile {profile.name} keeps no sign-in and no role key: nothing to end",
            "hourmark login",
            code="no_credential",
        )
    else:
        profile.without_token().save()
        say(f"Signed out: the profile {profile.name} keeps no role key any more.")
        say(f"The role key itself still works until it is deleted: {_ending(profile)}")
    session.say_if_set("is set and still counts", *credentials.VARIABLES)


def _end_given(session: Session) -> None:
    """What it is that counts: of a job the tokens can be ended, all else is whoever's who gave it."""
    ticket = next(_tickets(session), None)
    if ticket is None:
        raise UsageError(
            "Nothing was ended",
            f"the credential from {session.given[0].source} counts, which is no job's ticket; "
            "what is kept here stays",
            "in a job, name the file with its ticket in HOURMARK_TOKEN_FILE; "
            "for what is kept: hourmark logout --profile NAME",
            code="not_kept",
        )
    session.issuer_for(None).end_tokens_of_job(ticket)
    say("The tokens that the job got so far have ended. It goes on, and gets others.")


def _tickets(session: Session) -> Iterator[Ticket]:
    """Of the job that this runs in, whatever goes before it."""
    from holder.credentials import Ticket

    for offer in session.given:
        if offer.gives_tokens:
            continue
        try:
            secret = offer.credential().secret
        except HolderError:
            continue  # broken or not, it is no ticket
        if isinstance(secret, Ticket):
            yield secret


def _end(session: Session, profile: Profile) -> None:
    """At the issuer that it is of, whichever is named: nobody else gets to see its refresh token."""
    from holder import authorization
    from holder.sign_ins import SignIn

    issuer = session.authorization_server(profile.url)
    SignIn(profile).end(partial(authorization.revoke, issuer))
    profile.without_token().save()
    say(f"Signed out: the sign-in of {profile.principal} at {profile.url} has ended, with its tokens.")


def _ending(signed_out: Profile) -> str:
    """What ends the role key that it kept."""
    access = (signed_out.token or "").partition(":")[0]
    kind, _, name = (signed_out.principal or "").partition(":")
    return f"hourmark role key delete {quote(name)} {quote(access)}" if kind == "role" else access
