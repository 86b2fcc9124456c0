"""A decision -> words and an exit code, the same whether a token or a role was asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from holder.cli.errors import NOT_PERMITTED

if TYPE_CHECKING:
    from holder.cli.output import View
    from verifier.decision import Decision

FIELDS = ("allowed", "permission", "by", "missing")


def show(decision: Decision, view: View) -> None:
    """Yes, or no with the exit code 5."""
    request, by = str(decision.request), decision.by
    item = {
        "allowed": by is not None,
        "permission": request,
        "by": None if by is None else str(by),
        "missing": list(decision.missing),
    }
    if by is not None:
        view.one(item, plain=f"yes: {request} is allowed by {by}")
        return
    view.one(item, plain="\n".join([f"no: nothing allows {request}", *(f"  {m}" for m in decision.missing)]))
    raise typer.Exit(NOT_PERMITTED)
