"""What a request shows of its OAuth client (RFC 6749 section 2.3): read here, proven elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from starlette.requests import Request

from issuer.denials import Denial


@dataclass(frozen=True, slots=True)
class Presented:
    """Who it says that it is, and what it shows for it: one thing at most."""

    client_id: str
    """An app's, or a role key's access id; "" if it names none."""
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


def presented(request: Request, form: Mapping[str, str]) -> Presented:
    """By HTTP Basic, or in the form. Raises Denial."""
    header = authorization(request)
    if (header is not None) + ("client_secret" in form) + ("client_assertion" in form) > 1:
        raise Denial(
            "invalid_request",
            "authenticate once: with the Basic header, with client_secret or with client_assertion",
        )
    named = form.get("client_id", "")
    if header is None:
        return Presented(named, form.get("client_secret"), form.get("client_assertion"))
    user, password = basic(header)
    if named and named != user:
        raise Denial("invalid_request", "client_id is another one than the Basic header's user")
    return Presented(user, password)


def authorization(request: Request) -> str | None:
    """The one Authorization header. Raises Denial: of two, another server may have believed the other one."""
    headers = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if len(headers) > 1:
        raise Denial("invalid_request", "send one Authorization header")
    return headers[0].decode("latin-1") if headers else None


def basic(header: str) -> tuple[str, str]:
    """User and password, both form-decoded (RFC 6749 section 2.3.1). Raises Denial."""
    user, password = map(_form_decoded, user_and_password(header))
    if "\0" in user:
        raise Denial("invalid_request", "the Basic header's user holds a NUL character")
    return user, password


def user_and_password(header: str) -> tuple[str, str]:
    """As the header has them (RFC 7617), split at the first colon. Raises Denial."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Denial(
            "invalid_request",
            "clients authenticate with HTTP Basic here, or in the form; jobs get tokens by GET /v1/token",
        )
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        raise Denial("invalid_request", "the Basic header is not base64 of user:password") from None
    user, colon, password = text.partition(":")
    if not colon:
        raise Denial("invalid_request", "the Basic header has no colon between user and password")
    return user, password


def _form_decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text
