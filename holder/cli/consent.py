"""Consents: what users let apps have."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from holder.cli.options import noun, with_session
from holder.cli.session import Session, say

app = noun("Consents: what you let apps have.")
Whose = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Whose; by default your own.")]


@app.command("list")
@with_session
def list_(session: Session, user: Whose = None) -> None:
    """Show what you let apps have.

    \b
    Examples:
      hourmark consent list
      hourmark consent list --user ada --field app
    """
    from holder import answers

    view = session.view(answers.names(answers.Consent))
    view.many(map(asdict, session.issuer().consents(user=user)))


@app.command()
@with_session
def delete(
    session: Session,
    consent: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    user: Whose = None,
) -> None:
    """Withdraw it: the app is signed out, and its tokens end.

    \b
    Example:
      hourmark consent delete 7
    """
    from holder import answers

    view = session.view(answers.names(answers.WithdrawnConsent))
    view.one(asdict(session.issuer().withdraw_consent(consent, user=user)))
    say("The app asks again before it gets anything.")
