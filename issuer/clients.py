"""OAuth clients: apps that somebody registered, and what belongs to the issuer itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlmodel import Session

from issuer.store import apps
from issuer.store.tables import AppRow, Principal
from verifier import Scope

CLI_ID, CONSOLE_ID = "hourmark-cli", "console"
OPENID, OFFLINE_ACCESS, PROFILE, EMAIL = "openid", "offline_access", "profile", "email"
APP_ID_PREFIX = "hma_"
PROTOCOL_WORDS = (OPENID, OFFLINE_ACCESS, PROFILE, EMAIL)
"""Scope words that every client may ask for (OpenID Connect Core sections 5.4 and 11)."""


@dataclass(frozen=True, slots=True)
class Client:
    """One that users sign in at, or that asks on their behalf."""

    client_id: str
    name: str
    owner: str
    """The principal that registered it; "" for the issuer's own."""
    scope: Scope
    """What it gets at most."""
    authentication: str
    """`token_endpoint_auth_method`: none, client_secret_basic (by header or form), private_key_jwt."""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    id_token_algorithm: str | None = None
    role: str | None = None
    """The role that it is when it acts for nobody."""
    status_index: int = -1
    """Of the tokens that it gets for itself."""
    secret_hash: bytes | None = field(default=None, repr=False)
    jwks: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it acts as the user, not on the user's behalf."""
        return not self.owner

    @property
    def is_public(self) -> bool:
        """Whether anybody can say that they are it (RFC 6749 section 2.1)."""
        return self.authentication == "none"


CLI = Client(
    CLI_ID,
    "the Hourmark command line",
    "",
    Scope.parse(" ".join(("*", *PROTOCOL_WORDS))),
    "none",
    ("http://127.0.0.1/callback", "http://[::1]/callback"),
)


def is_client_id(text: str) -> bool:
    """Whether it looks like the id of a client: everything else is told apart from one without a look."""
    return text == CLI_ID or text.startswith(APP_ID_PREFIX)


def find(session: Session, client_id: str) -> Client | None:
    """The client with this id, if there is one in force: an app stands still while its owner is disabled."""
    if client_id == CLI_ID:
        return CLI
    return in_force(session, session.get(AppRow, client_id))


def as_now(session: Session, client: Client) -> Client | None:
    """It as it is registered now; None if it is gone, or proves by now in another way who it is."""
    now = find(session, client.client_id)
    return now if now is not None and _proof(now) == _proof(client) else None


def of_role(session: Session, role: str) -> Client | None:
    """The app that this role is, if it is one: what has a credential of the role acts as it."""
    return in_force(session, apps.of_role_named(session, role))


def name_of(session: Session, client_id: str) -> str:
    """What people call it."""
    if client_id == CLI_ID:
        return CLI.name
    row = session.get(AppRow, client_id)
    return client_id if row is None else row.name


def _proof(client: Client) -> tuple[str, bytes | None, str | None]:
    return client.authentication, client.secret_hash, client.jwks


def in_force(session: Session, row: AppRow | None) -> Client | None:
    """The app, unless it stands still."""
    return None if row is None or not apps.is_in_force(session, row) else _of_app(session, row)


def _of_app(session: Session, row: AppRow) -> Client:
    wanted = Scope.parse(row.scope)
    role = None if row.role_id is None else session.get_one(Principal, row.role_id)
    return Client(
        client_id=row.client_id,
        name=row.name,
        owner=session.get_one(Principal, row.owner_id).name,
        scope=Scope.of(wanted.permissions, (*wanted.words, *PROTOCOL_WORDS)),
        authentication=row.authentication,
        redirect_uris=tuple(json.loads(row.redirect_uris)),
        post_logout_redirect_uris=tuple(json.loads(row.post_logout_redirect_uris)),
        id_token_algorithm=row.id_token_algorithm,
        role=None if role is None or role.deleted_at is not None else role.name,
        status_index=row.status_index,
        secret_hash=row.secret_hash,
        jwks=row.jwks,
    )
