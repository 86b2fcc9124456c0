"""private_key_jwt: a client proves itself by a JWT that it signed (RFC 7523 section 3)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from issuer.clients import Client
from keys import PublicKey, UnusableKey
from verifier import TokenError, jws, strict_json

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LIFETIME = 300
"""Seconds: it is made for one request."""
_MAX_CHARACTERS = 4096
_MAX_ID = 128
_SKEW = 30
_TYPES = (None, "jwt", "client-authentication+jwt")


class BadAssertion(Exception):
    """It does not prove the client; the message says why."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """One whose form is right; who signed it is not known yet."""

    parsed: jws.UnverifiedJws
    client_id: str
    token_id: str
    expires_at: int
    """Unix seconds, rounded up: its jti is remembered for as long as it would be taken."""


def read(text: str, audiences: Iterable[str], now: float) -> Assertion:
    """Raises BadAssertion."""
    try:
        parsed = jws.parse(text, _MAX_CHARACTERS)
        claims = strict_json.parse_object(parsed.payload)
    except (TokenError, ValueError):
        raise BadAssertion("it is no JWT") from None
    subject, token_id, expires_at = claims.get("sub"), claims.get("jti"), claims.get("exp")
    audience = claims.get("aud")
    named = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if parsed.header.typ not in _TYPES:
        raise BadAssertion("its typ is another one's")
    if not isinstance(subject, str) or not subject or claims.get("iss") != subject:
        raise BadAssertion("iss and sub are not both the client id")
    if "\0" in subject:
        raise BadAssertion("iss and sub hold a NUL character")
    if named not in tuple(audiences):
        raise BadAssertion("aud is not this issuer alone")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= _MAX_ID or "\0" in token_id:
        raise BadAssertion(f"jti is missing, longer than {_MAX_ID} characters, or holds a NUL character")
    ends_at = _time(expires_at)
    if ends_at is None or not now < ends_at <= now + MAX_LIFETIME + _SKEW:
        raise BadAssertion(f"exp is missing, past, or more than {MAX_LIFETIME} s ahead")
    for name in ("iat", "nbf"):
        moment = _time(claims.get(name, 0))
        if moment is None or moment > now + _SKEW:
            raise BadAssertion(f"{name} is in the future")
    return Assertion(parsed, subject, token_id, math.ceil(ends_at))


def check_signature(assertion: Assertion, client: Client) -> None:
    """By the keys that the client is registered with, and no others. Raises BadAssertion."""
    for jwk in json.loads(client.jwks or '{"keys":[]}')["keys"]:
        try:
            key = PublicKey.from_jwk(jwk)
        except UnusableKey:
            continue
        header = assertion.parsed.header
        if (
            header.kid in (None, key.kid)
            and header.algorithm in key.algorithms
            and key.verify(header.algorithm, assertion.parsed.signing_input, assertion.parsed.signature)
        ):
            return
    raise BadAssertion("no registered key of the client signed it")


def _time(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
