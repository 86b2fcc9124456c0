"""The only place where access tokens are signed, for services and for registries: a grant in, a token out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from issuer.identifiers import new_token_id
from issuer.registry.access import ResourceActions
from issuer.registry.signers import Signer
from issuer.settings import Settings
from issuer.signing import SigningKeys
from verifier import InvalidPermission, Scope, StatusReference, Token
from verifier.claims import TYP
from verifier.scope import MAX_PARTS

MAX_CHARACTERS = 6 * 1024
REGISTRY_SECONDS = 300
"""How long a registry's token lives: nothing ends it before, for no registry asks for revocations."""
_PER_TOKEN = ("iat", "exp", "jti")
_TOO_LONG = f"the token would be longer than {MAX_CHARACTERS} characters"
_ASK_FOR_LESS = f"{_TOO_LONG}: ask for less with `scope`"


class ScopeRefused(Exception):
    """Nothing of what was asked for can be granted, or too much would have to be; the message says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What tokens are issued from: whose rights, through which credential, until when."""

    subject: str
    """The principal."""
    client_id: str
    """The credential: access id of a role key, or the client that a user signed in at."""
    rights: Scope
    """What the credential was narrowed to, within what the principal holds."""
    roles: Mapping[str, Scope]
    """Of each role that the principal is or holds, by name, its whole permissions."""
    status_index: int
    """Ends all of its tokens."""
    ends_at: int | None
    """Unix seconds; no token outlives it."""
    audiences: tuple[str, ...] = ()
    """Which services it is for; () for all. The first is the default."""
    is_narrowed: bool = False
    """Whether the credential was made with less than its principal holds."""
    actor: str | None = None
    """Who acts on the subject's behalf (RFC 8693 section 4.1); None if the subject does itself."""
    earlier_actors: tuple[str, ...] = ()
    """Who acted before that, the latest first."""
    may_act: str | None = None
    """Who alone may act with its tokens (RFC 8693 section 4.4)."""
    job: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    prepared: dict[str, tuple[bytes, str]] = field(default_factory=dict, repr=False)
    """By audience: the claims that are the same in all of its tokens, and the scope's text."""
    _carried: list[tuple[str, ...]] = field(default_factory=list, init=False, repr=False)

    @property
    def carried(self) -> tuple[str, ...]:
        """The roles whose whole permissions it carries, looked for once: some have many of both."""
        if not self._carried:
            self._carried.append(self.roles_within(self.rights))
        return self._carried[0]

    def roles_within(self, scope: Scope) -> tuple[str, ...]:
        """The roles whose whole permissions `scope` carries. A role without any has nothing to carry."""
        return tuple(name for name, whole in self.roles.items() if whole and whole <= scope)


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

    def mint(self, grant: Grant, audience: str, requested: str | None, now: int) -> Minted:
        """A token for `audience` with the rights of the grant, within `requested` if that is given.

        Raises ScopeRefused, NoSigningKey.
        """
        prepared = grant.prepared.get(audience) if requested is None else None
        if prepared is None:
            prepared = self._prepare(grant, audience, requested)
            if requested is None:
                grant.prepared[audience] = prepared
        prefix, scope = prepared
        expires_at = min(now + self._ttl, grant.ends_at or now + self._ttl)
        token_id = new_token_id()
        payload = b'%b"iat":%d,"exp":%d,"jti":"%b"}' % (prefix, now, expires_at, token_id)
        raw = self._signing.current.sign(payload, TYP)
        if len(raw) > MAX_CHARACTERS:
            raise ScopeRefused(_ASK_FOR_LESS)
        return Minted(raw, token_id.decode(), expires_at - now, scope)

    def _prepare(self, grant: Grant, audience: str, requested: str | None) -> tuple[bytes, str]:
        """The claims that are the same from token to token, and the scope's text. Raises ScopeRefused."""
        scope = grant.rights if requested is None else _narrow(grant.rights, requested)
        if not scope:
            raise ScopeRefused(
                "nothing of what was asked for is held here" if grant.rights else _nothing_held(grant)
            )
        text = str(scope)
        if len(text) > MAX_CHARACTERS:
            raise ScopeRefused(_ASK_FOR_LESS)
        if text.count(" ") >= MAX_PARTS:
            raise ScopeRefused(
                f"the token would have more than {MAX_PARTS} permissions: ask for less with `scope`"
            )
        return self._constant_claims(grant, audience, scope), text

    def _constant_claims(self, grant: Grant, audience: str, scope: Scope) -> bytes:
        """The claims that do not change from token to token, as the beginning of a JSON object."""
        token = Token(
            issuer=self._issuer,
            audience=(audience,),
            subject=grant.subject,
            issued_at=0,
            expires_at=0,
            token_id="",
            client_id=grant.client_id,
            roles=grant.carried if scope is grant.rights else grant.roles_within(scope),
            scope=scope,
            status=StatusReference(self._status_uri, grant.status_index),
            actor=grant.actor,
            earlier_actors=grant.earlier_actors,
            may_act=grant.may_act,
            job=grant.job,
            labels=grant.labels,
        )
        claims = {name: value for name, value in token.to_claims().items() if name not in _PER_TOKEN}
        return orjson.dumps(claims)[:-1] + b","


def mint_for_registry(
    signer: Signer,
    *,
    issuer: str,
    service: str,
    subject: str,
    access: Sequence[ResourceActions],
    ends_at: int | None,
    now: int,
) -> Minted:
    """A token for the registry that calls itself `service`. Raises ScopeRefused.

    `aud` is a text and the times are integers, because registries read nothing else.
    """
    expires_at = min(now + REGISTRY_SECONDS, ends_at or now + REGISTRY_SECONDS)
    token_id = new_token_id().decode()
    claims = {
        "iss": issuer,
        "sub": subject,
        "aud": service,
        "iat": now,
        "nbf": now,
        "exp": expires_at,
        "jti": token_id,
        "access": [each._asdict() for each in access],
    }
    raw = signer.sign(orjson.dumps(claims))
    if len(raw) > MAX_CHARACTERS:
        raise ScopeRefused(f"{_TOO_LONG}: name fewer repositories at once, or give them shorter names")
    return Minted(raw, token_id, expires_at - now, " ".join(map(str, access)))


def _nothing_held(grant: Grant) -> str:
    if grant.actor is not None:
        return f"{grant.subject} may do nothing, by now, of what {grant.client_id} was let do"
    return f"{grant.subject} holds no permission: add a policy to it first"


def _narrow(rights: Scope, requested: str) -> Scope:
    try:
        return Scope.parse(requested) & rights
    except InvalidPermission as error:
        raise ScopeRefused(str(error)) from error
