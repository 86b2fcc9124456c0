"""A user's sign-in at a client: from what was approved to tokens, and from a refresh token to the next.

Tokens are signed inside the transaction: where none can be issued, nothing is used up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from issuer import clients
from issuer.clients import OFFLINE_ACCESS, OPENID, Client
from issuer.id_token import IdTokens
from issuer.mint import Minted
from issuer.on_behalf import grant_for
from issuer.service import Service
from issuer.store import consents, refresh_tokens, user_grants
from issuer.store.database import Transaction
from issuer.store.tables import Principal
from issuer.store.user_grants import SIGN_IN, Authentication, LoadedGrant, Place
from verifier import Scope


@dataclass(frozen=True, slots=True)
class Approved:
    """What a user let a client have."""

    user_id: int
    scope: Scope
    audience: str
    """Of its tokens, unless the client asks for another one."""
    authentication: Authentication
    place: Place
    """Of the client, as far as that is known."""
    session_id: int | None = None
    """The browser's session that ends it, if the client is in that browser."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One that is in force, and its refresh token if it has one."""

    loaded: LoadedGrant
    refresh_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """What the token endpoint answers."""

    minted: Minted
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    issued_token_type: str | None = None
    """For a token exchange (RFC 8693 section 2.2.1)."""


def begin(tx: Transaction, service: Service, client: Client, approved: Approved) -> SignIn | None:
    """A new sign-in. None if user, client or consent is not in force any more. Raises StatusListFull."""
    if clients.find(tx.session, client.client_id) is None:
        return None
    user = tx.session.get_one(Principal, approved.user_id)
    scope = approved.scope
    if not client.is_ours:
        consent = consents.find(tx.session, user.id, client.client_id)
        if consent is None:
            return None
        scope &= consents.scope_of(consent)
    is_lasting = OFFLINE_ACCESS in scope.words
    lifetime = service.settings.session_lifetime if is_lasting else service.settings.token_ttl
    row = user_grants.create(
        tx,
        SIGN_IN,
        user,
        client.client_id,
        scope=scope,
        authentication=approved.authentication,
        place=approved.place,
        expires_at=tx.now + lifetime,
        audience=approved.audience,
        session_id=approved.session_id,
    )
    loaded = user_grants.load(tx.session, row)
    if loaded is None:
        user_grants.end(tx, [row])
        return None
    hash_key = service.credentials.hash_key.key
    return SignIn(loaded, refresh_tokens.add(tx, row, hash_key) if is_lasting else None)


def go_on(tx: Transaction, service: Service, client: Client, refresh_token: str) -> SignIn | None:
    """The sign-in of a refresh token, which is used up. None if it is no good."""
    if clients.find(tx.session, client.client_id) is None:
        return None
    rotated = refresh_tokens.rotate(tx, refresh_token, client.client_id, service.credentials.hash_key.key)
    loaded = None if rotated is None else user_grants.load(tx.session, rotated.row)
    return None if rotated is None or loaded is None else SignIn(loaded, rotated.refresh_token)


def issue(
    service: Service,
    client: Client,
    sign_in: SignIn,
    *,
    audience: str,
    requested: str | None,
    nonce: str | None,
    now: int,
) -> Issued:
    """Signs its tokens.

    requested: a narrower scope for this access token alone. Raises ScopeRefused, NoSigningKey.
    """
    grant = grant_for(sign_in.loaded, client)
    minted = service.mint.mint(grant, audience, requested, now)
    id_token = None
    if OPENID in grant.rights.words:
        id_token = IdTokens(service.signing, service.settings).sign(
            sign_in.loaded, client, nonce=nonce, access_token=minted.raw, now=now
        )
    return Issued(minted, sign_in.refresh_token, id_token)
