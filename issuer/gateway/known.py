"""What a process knows of the door: apps by their host, visits by their cookie, what users let apps have."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session

from issuer import clients, credentials
from issuer.authentication.callers import Caller
from issuer.clients import Client
from issuer.gateway.remembered import Remembered
from issuer.mint import Grant
from issuer.on_behalf import grant_for, grant_of_session
from issuer.settings import Settings
from issuer.store import apps, consents, principals, role_keys, user_grants, visits
from issuer.store.database import Database
from issuer.store.tables import Secret, UserGrant, Visit
from verifier import InvalidPermission, Token, Trust, Verifier


@dataclass(frozen=True, slots=True)
class ProtectedApp:
    """An app at a host."""

    client: Client
    host: str
    labels: Mapping[str, str]
    audience: str | None
    """Of the tokens that it is handed; None for the first that is known."""

    def service(self, settings: Settings) -> str:
        """What credentials that open it are for: its own service, but never the issuer."""
        return self.audience if self.audience in settings.audiences else settings.audiences[0]


@dataclass(frozen=True, slots=True)
class KnownVisit:
    """A browser that was let in at an app."""

    client_id: str
    owner: str
    """Of the app."""
    status_index: int
    """Of what the app is handed."""
    expires_at: int
    caller: Caller
    """Who opened it, with what is left of that credential's rights."""


class KnownDoor:
    """All of it, in memory; and which tokens are taken at the door."""

    def __init__(self, database: Database, verifier: Verifier, status_uri: str) -> None:
        self.verifier = verifier
        self._trust: Trust = verifier.trust
        self._status_uri = status_uri
        self._apps = Remembered(database, _app_at, lambda app: (app.client.owner,))
        self._visits = Remembered(database, _visit, lambda visit: (visit.caller.principal, visit.owner))
        self._consents = Remembered(database, _consent, lambda grant: (grant.subject,))

    def forget(self, principal: str | None) -> None:
        """Something about this principal has changed; None: anything may have."""
        for each in (self._apps, self._visits, self._consents):
            if principal is None:
                each.forget_all()
            else:
                each.forget(principal)

    async def app_at(self, host: str) -> ProtectedApp | None:
        """The app at this host, if it is in force. Raises StoreUnavailable."""
        return await self._apps.get(host)

    async def visit(self, cookie_hash: bytes, client_id: str, now: float) -> KnownVisit | None:
        """The visit of this cookie at this app, if it is in force. Raises StoreUnavailable."""
        visit = await self._visits.get(cookie_hash)
        if visit is not None and self._has_ended(visit.status_index):
            # It has ended, or what it is handed was narrowed and it goes on with another index.
            self._visits.drop(cookie_hash)
            visit = await self._visits.get(cookie_hash)
        if visit is None or visit.client_id != client_id or self._has_ended(visit.status_index):
            return None
        return None if now >= visit.expires_at else visit

    async def consent(self, client_id: str, user: str) -> Grant | None:
        """What the user lets this app have now. Raises StoreUnavailable."""
        key = (client_id, user)
        grant = await self._consents.get(key)
        if grant is not None and self._has_ended(grant.status_index):
            self._consents.drop(key)
            grant = await self._consents.get(key)
        return None if grant is None or self._has_ended(grant.status_index) else grant

    def _has_ended(self, status_index: int) -> bool:
        """Whether the list says so that this process has; without one nothing is known to be in force."""
        signed = self._trust.lists.get(self._status_uri)
        return signed is None or bool(signed.content.status(status_index))


def _app_at(session: Session, host: str) -> ProtectedApp | None:
    row = apps.at_host(session, host)
    client = clients.in_force(session, row)
    if row is None or client is None:
        return None
    return ProtectedApp(client, host, apps.labels_of(row), row.audience)


def _visit(session: Session, cookie_hash: bytes) -> KnownVisit | None:
    now = int(time.time())
    row = visits.by_cookie(session, cookie_hash)
    if row is None or row.expires_at <= now:
        return None
    client, caller = clients.find(session, row.client_id), _opened_by(session, row)
    if client is None or caller is None:
        return None
    expires_at = int(min(row.expires_at, caller.expires_at or row.expires_at))
    if expires_at <= now:
        return None
    caller = replace(caller, status_index=row.status_index, expires_at=expires_at)
    return KnownVisit(row.client_id, client.owner, row.status_index, expires_at, caller)


def _opened_by(session: Session, row: Visit) -> Caller | None:
    """By what is left of it; None if nothing is."""
    if row.claims is not None:
        return Caller.by_token(Token.from_claims(json.loads(row.claims)))
    grant = _opened_by_key(session, row) if row.session_id is None else _opened_by_session(session, row)
    return None if grant is None else Caller.by_secret(grant)


def _opened_by_key(session: Session, row: Visit) -> Grant | None:
    secret = session.get(Secret, row.secret_id)
    loaded = None if secret is None else role_keys.load(session, secret.access)
    return None if secret is None or loaded is None else credentials.grant_of(loaded, secret)


def _opened_by_session(session: Session, row: Visit) -> Grant | None:
    signed_in = session.get(UserGrant, row.session_id)
    loaded = None if signed_in is None else user_grants.load(session, signed_in)
    return None if loaded is None else grant_of_session(loaded)


def _consent(session: Session, key: tuple[str, str]) -> Grant | None:
    client_id, name = key
    client, user = clients.find(session, client_id), principals.find(session, name)
    row = None if user is None else consents.find(session, user.id, client_id)
    loaded = None if row is None else user_grants.load(session, row)
    if client is None or loaded is None:
        return None
    try:
        return grant_for(loaded, client, consents.scope_of(loaded.row))
    except InvalidPermission:
        # It overlaps with what the user holds in more ways than a token can hold.
        return None
