"""Is a token good, and what does it allow: judged here, with the issuer's public documents alone."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from holder.cli import raw_token, verdict
from holder.cli.moments import beside_issuers, rfc3339, roughly
from holder.cli.options import with_session
from holder.cli.session import Session, say
from holder.errors import HolderError, Unreachable

if TYPE_CHECKING:
    from holder.client import Issuer
    from verifier import Token, TokenError, Trust

_NEW = "get a new one: hourmark login token"
_OF_TIME = ("expired", "not_yet_valid", "revocation_stale")
_SET_CLOCK = "set the clock of this machine, then look again"
_ADVICE = {
    "malformed": "copy all of it; hourmark login token prints a whole one",
    "bad_algorithm": f"do not trust it; {_NEW}",
    "bad_signature": f"do not trust it; {_NEW}",
    "unknown_key": f"check that --url is the issuer that made it; if it is, {_NEW}",
    "expired": _NEW,
    "not_yet_valid": "check the clock of this machine and the issuer's",
    "wrong_issuer": "check that --url is the issuer that made it, spelt as in its iss",
    "wrong_audience": "ask for one for this service: hourmark login token --resource AUDIENCE",
    "wrong_type": f"ID and registry tokens are no access tokens; {_NEW}",
    "invalid_claim": f"this issuer does not make such tokens; {_NEW}",
    "revoked": "its credential was renewed, deleted or signed out: hourmark login",
    "revocation_stale": "check that the issuer publishes its status list, and the clocks",
    "keys_unavailable": "check that the issuer publishes its keys",
}


@with_session
def verify(
    session: Session,
    raw: raw_token.Argument = None,
    audience: Annotated[
        str | None,
        typer.Option(metavar="AUD", help="The service that asks. Without: whichever the token names."),
    ] = None,
) -> None:
    """Check a token as a service would, and explain the verdict.

    \b
    Examples:
      hourmark login token | hourmark verify -
      hourmark verify TOKEN --audience https://api.example -o json
    """
    text = raw_token.read(raw, "hourmark verify TOKEN")
    token = _checked(session, text, audience)
    view = session.view(list(token.to_claims()))
    if audience is None:
        say(f"No --audience was named: checked for the token's own, {', '.join(token.audience)}")
    left = roughly(token.expires_at - time.time())
    say(f"Good: {session.url} signed it for {token.subject}; it is not revoked and lives for another {left}.")
    view.one(token.to_claims())


@with_session
def can(
    session: Session,
    raw: Annotated[str, typer.Argument(metavar="TOKEN", help='A token; "-" is standard input.')],
    permission: Annotated[
        str, typer.Argument(metavar="PERMISSION", help="One request: action@resource[label=value].")
    ],
) -> None:
    """Say whether a token allows a request (exit code 0 or 5).

    \b
    Example:
      hourmark login token | hourmark can - "app:query@my-app[group=A]"
    """
    from holder.decision import parse_request
    from verifier.decision import decide

    view = session.view(verdict.FIELDS)
    request = parse_request(permission)
    token = _checked(session, raw_token.read(raw, "hourmark verify TOKEN"), None)
    verdict.show(decide(request, token.scope.permissions), view)


def _checked(session: Session, raw: str, audience: str | None) -> Token:
    """The token, if it is good for `audience` now. Raises HolderError with the verifier's code."""
    from holder import credentials
    from verifier import TokenError, Verifier

    claims: Mapping[str, object] = {}
    issuer = session.issuer(public=True)
    try:
        jwt = credentials.parse_jwt(raw)
        claims = jwt.unverified_claims
        # An audience is a must. A token that names none fails at its own claim, before it is compared.
        audiences = [audience] if audience else jwt.audience or [session.url]
        trust = _trust(issuer, claims)
        return Verifier(session.url, audiences, trust=trust).verify(raw)
    except TokenError as error:
        raise _verdict(error, claims, session.url if claims else "", issuer.clock_ahead) from None


def _trust(issuer: Issuer, claims: Mapping[str, object]) -> Trust:
    """The issuer's documents, asked for once. Another address than the issuer's is never asked."""
    from verifier import DocumentError, Trust

    status = claims.get("status")
    reference = status.get("status_list") if isinstance(status, dict) else None
    uri = reference.get("uri") if isinstance(reference, dict) else None
    number = re.fullmatch(re.escape(issuer.url) + r"/status/(\d{1,6})", uri) if isinstance(uri, str) else None
    try:
        return Trust.from_documents(
            issuer=issuer.url,
            jwks=issuer.jwks(),
            status_lists=[issuer.status_list(int(number[1]) if number else 1)],
        )
    except DocumentError as error:
        raise HolderError(
            f"The documents of {issuer.url} are not to be trusted",
            error.detail + _clock(error.code, issuer.clock_ahead),
            _SET_CLOCK
            if _clock(error.code, issuer.clock_ahead)
            else "check --url, and that nobody sits between",
            code=error.code,
        ) from None


def _clock(code: str, ahead: float | None) -> str:
    """What the clock here has to do with it, if it is wrong by the issuer's; "" if nothing."""
    if ahead is None or code not in _OF_TIME:
        return ""
    return f"; the clock of this machine is {beside_issuers(ahead)}"


def _verdict(
    error: TokenError, claims: Mapping[str, object], url: str, clock_ahead: float | None
) -> HolderError:
    """The refusal, with what the token says about itself: no more than a claim, as the check failed."""
    from verifier import Unavailable

    why = error.detail
    end, named, issuer = claims.get("exp"), claims.get("aud"), claims.get("iss")
    if error.code == "expired" and isinstance(end, int | float):
        why += f" (it ended at {rfc3339(end)}, {roughly(time.time() - end)} ago)"
    elif error.code == "wrong_audience":
        why += f" (it is for {named})"
    elif error.code in ("wrong_issuer", "unknown_key") and issuer != url:
        why += f" (it says that it comes from {issuer}; {url} was asked)"
    clock = _clock(error.code, clock_ahead)
    advice = _SET_CLOCK if clock else _ADVICE[error.code]
    kind = Unreachable if isinstance(error, Unavailable) else HolderError
    return kind(f"The token is not good: {error.code}", why + clock, advice, code=error.code)
