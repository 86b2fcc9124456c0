"""The only place where access tokens are signed: a proven credential in, a token out."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from issuer.credentials import Proven
from issuer.identifiers import new_token_id
from issuer.settings import Settings
from issuer.signing import SigningKeys
from verifier import InvalidPermission, Scope, StatusReference, Token
from verifier.claims import TYP
from verifier.scope import MAX_PARTS

MAX_CHARACTERS = 6 * 1024
_PER_TOKEN = ("iat", "exp", "jti")
_TOO_LONG = f"the token would be longer than {MAX_CHARACTERS} characters: ask for less with `scope`"


class ScopeRefused(Exception):
    """Nothing of what was asked for can be granted, or too much would have to be; the message says which."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A signed token and what its holder is told about it."""

    raw: str = field(repr=False)
    token_id: str
    expires_in: int
    scope: str


class Mint:
    """Makes access tokens. Nothing is read or written: all that it needs is in memory."""

    def __init__(self, signing: SigningKeys, settings: Settings, status_uri: str) -> None:
        self._signing = signing
        self._issuer = settings.issuer_url
        self._ttl = settings.token_ttl
        self._status_uri = status_uri

    def mint(self, proven: Proven, audience: str, requested: str | None, now: int) -> Minted:
        """A token for `audience` with the rights of the credential, within `requested` if that is given.

        Raises ScopeRefused, NoSigningKey.
        """
        credential, secret = proven.credential, proven.secret
        prepared = None
        if requested is None:
            prepared = credential.prepared.get((secret.status_index, audience))
        if prepared is None:
            prepared = self._prepare(proven, audience, requested)
            if requested is None:
                credential.prepared[secret.status_index, audience] = prepared
        prefix, scope = prepared
        expires_at = min(now + self._ttl, secret.ends_at or now + self._ttl)
        token_id = new_token_id()
        payload = b'%b"iat":%d,"exp":%d,"jti":"%b"}' % (prefix, now, expires_at, token_id)
        raw = self._signing.current.sign(payload, TYP)
        if len(raw) > MAX_CHARACTERS:
            raise ScopeRefused(_TOO_LONG)
        return Minted(raw, token_id.decode(), expires_at - now, scope)

    def _prepare(self, proven: Proven, audience: str, requested: str | None) -> tuple[bytes, str]:
        """The claims that are the same from token to token, and the scope's text. Raises ScopeRefused."""
        credential = proven.credential
        scope = credential.rights if requested is None else _narrow(credential.rights, requested)
        if not scope:
            raise ScopeRefused(
                "nothing of what was asked for is held here"
                if credential.rights
                else f"{credential.principal} holds no permission: add a policy to it first"
            )
        text = str(scope)
        if len(text) > MAX_CHARACTERS:
            raise ScopeRefused(_TOO_LONG)
        if text.count(" ") >= MAX_PARTS:
            raise ScopeRefused(
                f"the token would have more than {MAX_PARTS} permissions: ask for less with `scope`"
            )
        is_whole = requested is None or credential.rights <= scope
        roles = credential.roles if is_whole else ()
        return self._constant_claims(proven, audience, scope, roles), text

    def _constant_claims(self, proven: Proven, audience: str, scope: Scope, roles: tuple[str, ...]) -> bytes:
        """The claims that do not change from token to token, as the beginning of a JSON object."""
        token = Token(
            issuer=self._issuer,
            audience=(audience,),
            subject=proven.credential.principal,
            issued_at=0,
            expires_at=0,
            token_id="",
            client_id=proven.credential.access,
            roles=roles,
            scope=scope,
            status=StatusReference(self._status_uri, proven.secret.status_index),
        )
        claims = {name: value for name, value in token.to_claims().items() if name not in _PER_TOKEN}
        return orjson.dumps(claims)[:-1] + b","


def _narrow(rights: Scope, requested: str) -> Scope:
    try:
        return Scope.parse(requested) & rights
    except InvalidPermission as error:
        raise ScopeRefused(str(error)) from error
