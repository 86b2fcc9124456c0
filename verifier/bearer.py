"""Bearer tokens over HTTP, both ways (RFC 6750): out of a request, and the verdict into an answer."""

from verifier.errors import InsufficientScope, TokenError, Unavailable


def bearer_token(authorization: str | None) -> str | None:
    """The token in an Authorization header; None if it holds none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip(" ") or None if scheme.lower() == "bearer" else None


def challenge(error: TokenError | None) -> tuple[int, str | None]:
    """HTTP status and WWW-Authenticate for a refused token, or for none at all.

    503 has no challenge: another token would not help.
    """
    if error is None:
        return 401, "Bearer"
    if isinstance(error, Unavailable):
        return 503, None
    if isinstance(error, InsufficientScope):
        return 403, f'Bearer error="insufficient_scope", scope="{_quotable(error.permission)}"'
    return 401, f'Bearer error="invalid_token", error_description="{_quotable(error.detail)}"'


def _quotable(text: str) -> str:
    return "".join(character for character in text if " " <= character <= "~" and character not in '"\\')
