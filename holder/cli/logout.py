"""Signing out."""

from __future__ import annotations

from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from holder.cli.options import with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, SignInNeeded
from holder.profile import Profile

if TYPE_CHECKING:
    from holder.credentials import Ticket


@with_session
def logout(session: Session) -> None:
    """End the sign-in, or forget the role key, that is kept here. In a job, end the tokens that it got.

    \b
    Example:
      hourmark logout --profile staging
    """
    from holder import credentials

    ticket = None if session.choices.profile else _ticket(session)
    if ticket is not None:
        session.issuer_for(None).end_tokens_of_job(ticket)
        say("The tokens that the job got so far have ended. It goes on, and gets others.")
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


def _ticket(session: Session) -> Ticket | None:
    """Of the job that this runs in, if that is the credential that counts."""
    from holder.credentials import Ticket

    if not session.given or session.given[0].gives_tokens:
        return None
    try:
        secret = session.given[0].credential().secret
    except HolderError:
        return None  # broken or not, it is no sign-in that could end
    return secret if isinstance(secret, Ticket) else None


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
