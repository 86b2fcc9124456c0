"""Who the credential is."""

from __future__ import annotations

from dataclasses import asdict

from holder.cli.options import with_session
from holder.cli.session import Session


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
