"""ID tokens: who signed in, told to the client (OpenID Connect Core section 2)."""

from __future__ import annotations

import hashlib

import orjson

from issuer.clients import EMAIL, PROFILE, Client
from issuer.service import Service
from issuer.settings import Settings
from issuer.signing import SigningKeys
from issuer.store.tables import Principal, UserAccount
from issuer.store.user_grants import LoadedGrant
from keys import base64url
from verifier import Scope, TokenError, jws, strict_json

TYP = "JWT"
LIFETIME = 600
"""Seconds: it is looked at once, when it arrives."""


class IdTokens:
    """Makes ID tokens. Nothing is read or written."""

    def __init__(self, signing: SigningKeys, settings: Settings) -> None:
        self._signing = signing
        self._issuer = settings.issuer_url

    def sign(
        self,
        loaded: LoadedGrant,
        client: Client,
        scope: Scope,
        *,
        nonce: str | None,
        access_token: str,
        now: int,
    ) -> str:
        """For `client` alone, with what `scope` lets it know. Raises NoSigningKey."""
        signer = self._signing.of_id_tokens(client.id_token_algorithm)
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": client.client_id,
            "sub": loaded.user.name,
            "iat": now,
            "exp": now + LIFETIME,
            "amr": loaded.row.methods.split(),
            "at_hash": _half_hash(access_token, signer.algorithm.name),
            **user_claims(loaded.user, loaded.account, scope),
        }
        if loaded.row.authenticated_at:
            # Another provider, where the user signed in, may not have told.
            claims["auth_time"] = loaded.row.authenticated_at
        if nonce is not None:
            claims["nonce"] = nonce
        return signer.sign(orjson.dumps(claims), TYP)


def subject_of_hint(service: Service, hint: str) -> str | None:
    """Whom an ID token of ours is about, even one that has expired; None for anything else."""
    try:
        parsed = jws.parse(hint)
        service.api_verifier.trust.signature_holds(parsed)
        claims = strict_json.parse_object(parsed.payload)
    except (TokenError, ValueError):
        return None
    is_ours = parsed.header.typ == TYP.lower() and claims.get("iss") == service.settings.issuer_url
    subject = claims.get("sub")
    return subject if is_ours and isinstance(subject, str) else None


def user_claims(user: Principal, account: UserAccount, scope: Scope) -> dict[str, object]:
    """What is told of the user beside `sub` (OpenID Connect Core section 5.4)."""
    claims: dict[str, object] = {}
    if PROFILE in scope.words:
        claims["preferred_username"] = user.name.partition(":")[2]
        if account.display_name:
            claims["name"] = account.display_name
    if EMAIL in scope.words and account.email:
        # Nobody has proved that it is the user's: whoever made the user wrote it.
        claims |= {"email": account.email, "email_verified": False}
    return claims


def _half_hash(text: str, algorithm: str) -> str:
    """`at_hash` (OpenID Connect Core section 3.1.3.6), by the hash that the signature uses."""
    digest = hashlib.new("sha512" if algorithm == "EdDSA" else "sha256", text.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2]).decode()
