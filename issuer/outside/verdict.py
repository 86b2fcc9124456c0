"""Which policies of a role take a token, clause by clause: one judgement, for those who ask for tokens and
for tests.

Keys are asked for at issuers alone that one of the policies names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from issuer.outside.issuers import OutsideIssuers
from issuer.outside.policy import Check, TrustPolicy
from issuer.outside.token import OutsideToken
from verifier import TokenError


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Whether the signature holds was not looked at."""


Signature = TokenError | Unsigned | None
"""What is wrong with it; None if it holds."""


async def check_signature(
    issuers: OutsideIssuers, policies: Iterable[TrustPolicy], token: OutsideToken, now: float
) -> Signature:
    """By the issuer's keys, if a policy names that issuer."""
    if not any(policy.is_for(token.unverified_issuer) for policy in policies):
        return Unsigned()
    try:
        await issuers.check_signature(token, now)
    except TokenError as error:
        return error
    return None


def judge(policy: TrustPolicy, token: OutsideToken, signature: Signature, now: float) -> list[Check]:
    """Of every clause. The token is taken if all of them hold."""
    return list(_checks(policy, token, signature, now))


def is_taken(checks: Iterable[Check]) -> bool:
    return all(check.outcome == "holds" for check in checks)


def _checks(policy: TrustPolicy, token: OutsideToken, signature: Signature, now: float) -> Iterator[Check]:
    issuer = policy.check_issuer(token.unverified_issuer)
    yield issuer
    if issuer.outcome != "holds" or isinstance(signature, Unsigned):
        yield Check("signature", "unchecked", reason="the policy is for another issuer")
    elif signature is not None:
        yield Check("signature", "fails", reason=signature.detail)
    else:
        yield Check("signature", "holds")
    yield _time(token, now)
    yield from policy.check_claims(token.claims)


def _time(token: OutsideToken, now: float) -> Check:
    try:
        token.check_time(now)
    except TokenError as error:
        return Check("time", "fails", reason=error.detail)
    return Check("time", "holds")
