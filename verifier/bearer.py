"""Credentials over HTTP, both ways (RFC 6750): out of a request, and the verdict into an answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http import HTTPStatus

from verifier.errors import InsufficientScope, TokenError, Unavailable

RETRY_SECONDS = 1
"""After which it is worth to ask again where a token could not be judged."""


def bearer_token(authorization: str | None) -> str | None:
    """The token in an Authorization header; None if it holds none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip(" ") or None if scheme.lower() == "bearer" else None


def role_key(authorization: str | None) -> str | None:
    """`access:secret` in an Authorization header, as Bearer or as Basic (RFC 7617); None if it holds none.

    No token has a colon.
    """
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(text.strip(" "), validate=True).decode()
        except ValueError:
            return None
        return text if ":" in text else None
    token = bearer_token(authorization)
    return token if token is not None and ":" in token else None


def challenge(error: TokenError | None) -> tuple[int, str | None]:
    """HTTP status and WWW-Authenticate for a refused token, or for none at all.

    503 has no challenge: another token would not help.
    """
    if error is None:
        return 401, "Bearer"
    if isinstance(error, Unavailable):
        return 503, None
    if isinstance(error, InsufficientScope):
        scope = f', scope="{_quotable(error.permission)}"' if error.permission else ""
        return 403, f'Bearer error="insufficient_scope"{scope}'
    return 401, f'Bearer error="invalid_token", error_description="{_quotable(error.detail)}"'


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered in place of what was asked for."""

    status: int
    code: str
    """`invalid_token`, `insufficient_scope`, `temporarily_unavailable` or `invalid_label`."""
    detail: str
    headers: dict[str, str]
    reason: str | None
    """The code of the TokenError; None where the token is not what is wrong."""

    @classmethod
    def of(cls, error: TokenError | None) -> Refusal:
        """For a token that was refused, or (None) for a request without one."""
        status, header = challenge(error)
        headers = {"Retry-After": str(RETRY_SECONDS)} if header is None else {"WWW-Authenticate": header}
        code = {403: "insufficient_scope", 503: "temporarily_unavailable"}.get(status, "invalid_token")
        if error is None:
            return cls(status, code, "send a token as Authorization: Bearer", headers, None)
        return cls(status, code, error.detail, headers, error.code)

    def problem(self) -> tuple[bytes, dict[str, str]]:
        """As problem details (RFC 9457): the body, and all headers of the answer."""
        members = {
            "type": f"urn:hourmark:error:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.reason is not None:
            members["reason"] = self.reason
        body = json.dumps(members).encode()
        return body, self.headers | {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}


def _quotable(text: str) -> str:
    return "".join(character for character in text if " " <= character <= "~" and character not in '"\\')
