"""What can be wrong with a token, and what can be wrong with a document that trust is built from.

Two roots that never mix: a TokenError is the verdict on one token; a DocumentError means that a JWKS or a
status list was refused and that the last good one stays in place.
"""

from collections.abc import Sequence
from typing import Literal

_SHOWN = 5
"""Of selectors, in a text for people."""

Code = Literal[
    "malformed",
    "bad_algorithm",
    "unknown_key",
    "bad_signature",
    "expired",
    "not_yet_valid",
    "wrong_issuer",
    "wrong_audience",
    "wrong_type",
    "invalid_claim",
    "insufficient_scope",
    "revoked",
    "revocation_stale",
    "keys_unavailable",
]


class TokenError(Exception):
    """A token was refused. `code` is stable; the text is for people and quotes nothing secret."""

    code: Code

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class InvalidClaim(TokenError):
    """A claim is missing, of the wrong kind, or out of bounds: `claim` names it."""

    def __init__(self, claim: str, detail: str) -> None:
        super().__init__("invalid_claim", f"{claim} {detail}")
        self.claim = claim


class InsufficientScope(TokenError):
    """A good token that does not allow what is asked: `permission` would; empty if it allows nothing.

    selectors: labels, as selectors say them, each of which would do for a resource that is made.
    """

    def __init__(self, permission: str, selectors: Sequence[str] = ()) -> None:
        detail = f"the token does not allow {permission or 'anything'}"
        if selectors:
            more = f", or one of {len(selectors) - _SHOWN} more" * (len(selectors) > _SHOWN)
            detail += f": set the labels {' or '.join(selectors[:_SHOWN])}{more}"
        super().__init__("insufficient_scope", detail)
        self.permission = permission


class Unavailable(TokenError):
    """Not the token's fault: what it is judged by is not at hand (`revocation_stale`, `keys_unavailable`)."""


class DocumentError(Exception):
    """A JWKS or a status list was refused; nothing changed. `code` is stable.

    One of the codes of a token that a list can have too (`malformed`, `bad_algorithm`, `unknown_key`,
    `bad_signature`, `not_yet_valid`, `wrong_type`), or `too_large`, `wrong_list`, `revocation_rollback`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
