"""From a token of an outside issuer to the token of a role that trusts it.

The caller names the role, as at AWS and Vault, so that nobody else's policy decides what a caller becomes.
The token itself is the proof: no client authenticates beside it. It may be presented again for as long as it
lives, as with the clouds, for it is a file that a program reads when it needs it; nothing that comes of it
lives longer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request

from issuer.authentication.client import presented
from issuer.denials import Denial
from issuer.grants.audience import asked_audience
from issuer.mint import Grant, Minted
from issuer.outside import verdict
from issuer.outside.known import KnownPolicy
from issuer.outside.token import OutsideToken
from issuer.service import Service
from issuer.store import names
from issuer.store.principals import ROLE_PREFIX
from issuer.telemetry import note, source
from verifier import TokenError, Unavailable


class _Refused(Exception):
    """The token is not taken; the message says why, as far as a stranger may know."""


async def issue(
    service: Service, request: Request, form: Mapping[str, str], raw: str, refused: str
) -> Minted:
    """The role's token for `raw`. Raises Denial, with the code `refused` if the token is not taken."""
    client = presented(request, form)
    if client.secret is not None or client.assertion is not None:
        raise Denial("invalid_request", "the outside token is the proof: send no other with it")
    audience = asked_audience(service.settings, form)
    role = _role(form)
    try:
        token = OutsideToken.parse(raw)
        note(request.scope, outside_issuer=token.unverified_issuer[:200])
        grant = await _grant(service, request, role, token)
    except Unavailable as error:
        raise Denial("temporarily_unavailable", "the keys of its issuer cannot be fetched now") from error
    except TokenError as error:
        raise service.throttle.failed(source(request.scope), Denial(refused, error.detail)) from None
    except _Refused as error:
        raise service.throttle.failed(source(request.scope), Denial(refused, str(error))) from None
    minted = service.mint.mint(grant, audience, form.get("scope"), int(time.time()))
    note(request.scope, client_id=grant.client_id, sub=grant.subject, outside_subject=token.claims["sub"])
    return minted


def _role(form: Mapping[str, str]) -> str:
    """Raises Denial."""
    if "role" not in form:
        raise Denial("invalid_request", "role is missing: name the role that the token is to become")
    try:
        return ROLE_PREFIX + names.check_role_name(form["role"])
    except names.InvalidName as error:
        raise Denial("invalid_request", f"role: {error}") from error


async def _grant(service: Service, request: Request, role: str, token: OutsideToken) -> Grant:
    """Of the first policy that takes the token. Raises TokenError, _Refused, StoreUnavailable."""
    token.check_time(time.time())
    known = await service.trust_policies.of_role(role)
    signature = await verdict.check_signature(
        service.outside_issuers, (each.clauses for each in known), token, time.time()
    )
    if isinstance(signature, TokenError):
        raise signature
    if signature is None:
        # To fetch keys takes a while, in which a policy may have ended.
        service.coherence.check()
        known = await service.trust_policies.of_role(role)
    now = time.time()
    for policy in known:
        if verdict.is_taken(verdict.judge(policy.clauses, token, signature, now)):
            service.outside_issuers.note_taken(token.unverified_issuer)
            return replace(policy.grant, ends_at=int(token.expires_at))
    note(request.scope, outside_failed=_failed(known, token, signature, now))
    raise _Refused(
        "there is no such role, or no trust policy of it takes this token: "
        "`hourmark role trust test` tells those who may look at the role which clause fails"
    )


def _failed(
    known: tuple[KnownPolicy, ...], token: OutsideToken, signature: verdict.Signature, now: float
) -> dict[str, list[str]]:
    """By policy the clauses that fail, for the log."""
    return {
        policy.grant.client_id: [
            check.clause
            for check in verdict.judge(policy.clauses, token, signature, now)
            if check.outcome == "fails"
        ]
        for policy in known
    }
