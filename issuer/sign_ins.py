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
    client: Client
    """As it is registered now."""
    consented: Scope
    """What the user lets the client have here, by now."""
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
    """A new sign-in. None if user, client or consent is not in force any more.

    Raises StatusListFull, InvalidPermission.
    """
    current = clients.as_now(tx.session, client)
    agreed = None if current is None else _agreed(tx, approved.user_id, current, approved.scope)
    if current is None or agreed is None:
        return None
    is_lasting = OFFLINE_ACCESS in agreed.words
    lifetime = service.settings.session_lifetime if is_lasting else service.settings.token_ttl
    row = user_grants.create(
        tx,
        SIGN_IN,
        tx.session.get_one(Principal, approved.user_id),
        client.client_id,
        scope=agreed,
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
    return SignIn(loaded, current, agreed, refresh_tokens.add(tx, row, hash_key) if is_lasting else None)


def go_on(tx: Transaction, service: Service, client: Client, refresh_token: str) -> SignIn | None:
    """The sign-in of a refresh token, which is used up. None if it is no good. Raises InvalidPermission."""
    current = clients.as_now(tx.session, client)
    if current is None:
        return None
    rotated = refresh_tokens.rotate(tx, refresh_token, client.client_id, service.credentials.hash_key.key)
    loaded = None if rotated is None else user_grants.load(tx.session, rotated.row)
    if rotated is None or loaded is None:
        return None
    row = rotated.row
    scope = current.scope if row.scope is None else Scope.parse(row.scope)
    agreed = _agreed(tx, row.user_id, current, scope)
    return None if agreed is None else SignIn(loaded, current, agreed, rotated.refresh_token)


def _agreed(tx: Transaction, user_id: int, client: Client, scope: Scope) -> Scope | None:
    """What of `scope` the user lets the client have at this moment; None once that was withdrawn."""
    if client.is_ours:
        return scope
    consent = consents.find(tx.session, user_id, client.client_id)
    return None if consent is None else scope & consents.scope_of(consent)


def issue(
    service: Service,
    sign_in: SignIn,
    *,
    audience: str,
    requested: str | None,
    nonce: str | None,
    now: int,
) -> Issued:
    """Signs its tokens.

    requested: a narrower scope for this access token alone.
    Raises ScopeRefused, NoSigningKey, InvalidPermission.
    """
    grant = grant_for(sign_in.loaded, sign_in.client, sign_in.consented)
    minted = service.mint.mint(grant, audience, requested, now)
    id_token = None
    if OPENID in grant.rights.words:
        id_token = IdTokens(service.signing, service.settings).sign(
            sign_in.loaded,
            sign_in.client,
            sign_in.consented,
            nonce=nonce,
            access_token=minted.raw,
            now=now,
        )
    return Issued(minted, sign_in.refresh_token, id_token)
