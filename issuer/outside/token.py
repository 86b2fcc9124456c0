"""A token of another issuer: its form and its time. Whose it is, is not known until its signature was
checked.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Self

from verifier import InvalidClaim, TokenError, jws, strict_json
from verifier.claims import TYP, as_text, as_time, read_claim
from verifier.trust import MAX_SKEW

MAX_LIFETIME = 86400
"""Seconds from `iat`, or from now, to `exp`: who needs no secret to get a token needs none that lasts."""
_TYPES = (None, "jwt", TYP)
"""Of ID and access tokens. Logout tokens, lists, proofs and events say that they are something else."""


def without_ends(raw: str) -> str:
    """Without white space at its ends: tools write a newline behind a token, and send it along."""
    return raw.strip(string.whitespace)


@dataclass(frozen=True, slots=True)
class OutsideToken:
    """One whose form is right."""

    jws: jws.UnverifiedJws
    unverified_issuer: str
    claims: dict[str, object] = field(repr=False)
    expires_at: float
    issued_at: float | None
    not_before: float | None

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Raises TokenError."""
        parsed = jws.parse(without_ends(raw))
        if parsed.header.typ not in _TYPES:
            raise TokenError("wrong_type", f"its typ is neither JWT nor {TYP}: it is no ID or access token")
        try:
            claims = strict_json.parse_object(parsed.payload)
        except ValueError:
            raise TokenError("malformed", "the payload is not a strict JSON object") from None
        issuer = read_claim(claims, "iss", as_text)
        if "cnf" in claims:
            raise InvalidClaim("cnf", "asks for a proof of possession, which is not supported")
        return cls(
            parsed,
            issuer,
            claims,
            expires_at=read_claim(claims, "exp", as_time),
            issued_at=read_claim(claims, "iat", as_time, None),
            not_before=read_claim(claims, "nbf", as_time, None),
        )

    def check_time(self, now: float) -> None:
        """Raises TokenError."""
        if now >= self.expires_at:
            raise TokenError("expired", "the token has expired: get a new one")
        if max(self.issued_at or 0, self.not_before or 0) > now + MAX_SKEW:
            raise TokenError("not_yet_valid", "the token begins in the future: check the clocks")
        if self.expires_at - (self.issued_at or now) > MAX_LIFETIME:
            raise InvalidClaim("exp", f"is more than {MAX_LIFETIME} seconds after iat: ask for a shorter one")
