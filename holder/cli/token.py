"""API tokens: role keys made for a purpose, which is said in presets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli.moments import parse_duration, parse_moment
from holder.cli.options import noun, with_session
from holder.cli.output import Format
from holder.cli.selectors import selectors
from holder.cli.session import Session, say
from holder.errors import UsageError

if TYPE_CHECKING:
    from holder.answers import ApiToken, ApiTokenWithSecret
    from holder.client import Issuer

app = noun("API tokens: long-lived, for a program, and for one purpose.")
TokenId = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it, hmk_…")]
Owner = Annotated[
    str | None, typer.Option(metavar="PRINCIPAL", help="user:NAME or role:NAME; by default you.")
]
_NEVER = "never"
_COLUMNS = (
    *("id", "name", "role", "selector", "prefix"),
    *("created_by", "last_exchanged_at", "expires_at", "state"),
)
_OTHERS = ("owner", "description", "resources", "job_roles", "audiences", "scope", "created_at")
_FIELDS = (*_COLUMNS, *_OTHERS)
"""As they are called here: a preset is its role, and its selectors are one text."""


class State(StrEnum):
    """Whether a token still works."""

    ACTIVE = "active"
    EXPIRED = "expired"


@app.command()
@with_session
def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="One that no other token of its owner has.")],
    *,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="PRESET", help="What it is for, as `presets` shows it; may be given again."),
    ] = None,
    label_selector: Annotated[
        list[str] | None,
        typer.Option(
            "-l",
            "--label-selector",
            metavar="NAME=VALUE",
            help="Only what has this label. Given again, or with a comma: what has ALL of them.",
        ),
    ] = None,
    any_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SELECTOR",
            help="Given twice or more: what has the labels of ONE of them, and all of each -l: "
            "--any-of model=base --any-of model=large,stage=test",
        ),
    ] = None,
    resource: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only what is named so, or begins so: NAME*; may be given again. Without this and labels it "
            "reaches all that its owner reaches.",
        ),
    ] = None,
    job_role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="Starts jobs as this role, ORG.ACCOUNT.NAME or ORG.*; they may do all that it may. May be "
            "given again.",
        ),
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE", help="Only for this service; may be given again."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="90d, 2027-01-01, 2027-01-01T12:00:00Z or never.")
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="D")] = None,
    owner: Owner = None,
) -> None:
    """Make an API token. It is shown this once.

    --role says what may be done with it, labels and resources say on what. Without them it reaches everything
    that its owner reaches; whatever is said, it never does more than its owner may at that moment.

    \b
    Examples:
      hourmark token create basetoken --role operator --label-selector model=base
      hourmark token create nightly --role read --expires 90d --field token
      hourmark token create launcher --role operator -l team=nlp --job-role org.account.train
    """
    asked = {
        "name": name,
        "presets": role,
        "label_selectors": selectors(label_selector or [], any_of or []),
        "resources": resource,
        "job_roles": job_role,
        "audiences": audience,
        **_end(expires),
        "description": description,
        "owner": owner,
    }
    if not role:
        raise _no_preset(session)
    body = {member: value for member, value in asked.items() if value not in (None, [])}
    _show_once(session, lambda issuer: issuer.create_token(body))


@app.command("list")
@with_session
def list_(
    session: Session,
    owner: Owner = None,
    state: Annotated[State | None, typer.Option(help="Those alone that work, or that have ended.")] = None,
) -> None:
    """Show your API tokens, without their secrets.

    \b
    Examples:
      hourmark token list
      hourmark token list --owner role:org.account.name --state active --field id
    """
    view = session.view(_FIELDS)
    view.many(map(_shown, session.issuer().tokens(owner=owner, state=state)), columns=_COLUMNS)


@app.command()
@with_session
def get(session: Session, token: TokenId) -> None:
    """Show one API token, without its secret.

    \b
    Example:
      hourmark token get ID --field scope
    """
    view = session.view(_FIELDS, usual=Format.YAML)
    view.one(_shown(session.issuer().api_token(_id(token))))


@app.command()
@with_session
def renew(
    session: Session,
    token: TokenId,
    grace: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="How long the old secret works on: 24h. Without: not at all."),
    ] = None,
) -> None:
    """Give an API token a new secret, which is shown this once.

    \b
    Example:
      hourmark token renew ID --grace 24h
    """
    token_id = _id(token)
    seconds = None if grace is None else int(parse_duration(grace, "--grace").total_seconds())
    _show_once(session, lambda issuer: issuer.renew_token(token_id, grace_seconds=seconds))
    say("The old secret ended." if not seconds else f"The old secret works for another {grace}.")


@app.command()
@with_session
def delete(session: Session, token: TokenId) -> None:
    """End an API token for good. Again it does nothing.

    \b
    Example:
      hourmark token delete ID
    """
    from holder import answers

    view = session.view(answers.names(answers.DeletedRoleKey), usual=Format.YAML)
    gone = session.issuer().delete_token(_id(token))
    view.one(asdict(gone))
    if gone.made:
        say("It had made these credentials, which live on. Delete those that nobody should have.")


@app.command()
@with_session
def presets(session: Session) -> None:
    """Show what API tokens can be made for.

    \b
    Examples:
      hourmark token presets
      hourmark token presets --field name
    """
    from holder import answers

    view = session.view(answers.names(answers.Preset))
    view.many(map(asdict, session.issuer(public=True).presets()))


def _show_once(session: Session, ask: Callable[[Issuer], ApiTokenWithSecret]) -> None:
    view = session.view((*_FIELDS, "token"), usual=Format.YAML, shown_once="token")
    made = ask(session.issuer())
    view.one(_shown(made) | {"token": made.token})
    say("The token is shown this once: keep it now.")


def _shown(token: ApiToken) -> dict[str, object]:
    said = asdict(token) | {"role": ",".join(token.presets), "selector": " or ".join(token.label_selectors)}
    return {name: said[name] for name in _FIELDS}


def _no_preset(session: Session) -> UsageError:
    """Raises HolderError where the issuer does not say what there is."""
    known = ", ".join(preset.name for preset in session.issuer(public=True).presets())
    return UsageError(
        "No --role says what the token is for",
        f"there are {known}" if known else "the issuer has no presets",
        "hourmark token presets shows what they mean",
    )


def _end(expires: str | None) -> dict[str, object]:
    """The members that say when it ends. Raises UsageError."""
    if expires is None:
        return {}
    if expires == _NEVER:
        return {"never_expires": True}
    return {"expires_at": parse_moment(expires, "--expires", datetime.now(UTC))}


def _id(text: str) -> str:
    """Raises UsageError, which does not repeat `text`: whoever gives the whole token shows it to no log."""
    from keys.secret import ROLE_KEY_PREFIX

    if not text.startswith(ROLE_KEY_PREFIX) or ":" in text:
        raise UsageError(
            "That is no id of an API token",
            f"an id begins with {ROLE_KEY_PREFIX}, and ends before the colon",
            "hourmark token list",
        )
    return text
