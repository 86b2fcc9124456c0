"""The token that an app is handed for a request: with it the app acts for the user, who has agreed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from issuer.authentication.callers import Caller
from issuer.gateway.known import KnownDoor, KnownVisit, ProtectedApp
from issuer.mint import Grant, Mint, Minted, ScopeRefused
from issuer.store.users import USER_PREFIX
from verifier import InvalidPermission, Scope

_MAX_KEPT = 4096
_LIFETIME = 300
"""Seconds: it ends with the consent, and by itself soon after whatever else the request came by."""
_HANDED_ON = 0.5
"""The part of its lifetime for which a token is handed on."""


@dataclass(frozen=True, slots=True)
class _Handed:
    minted: Minted = field(repr=False)
    consent: Grant
    """The very one: another one stands for another consent, or for other rights."""
    until: float


class HandedTokens:
    """Those that are handed on now, by app and by whose request it is."""

    def __init__(self, door: KnownDoor, mint: Mint, audience: str) -> None:
        """audience: of an app that names none."""
        self._door = door
        self._mint = mint
        self._audience = audience
        self._kept: dict[tuple[object, ...], _Handed] = {}

    async def token(
        self, app: ProtectedApp, caller: Caller, visit: KnownVisit | None, now: float
    ) -> str | None:
        """None where there is nothing to hand on. Raises StoreUnavailable, NoSigningKey.

        visit: the one that the caller is in, with which the token ends; without one it ends with the consent.
        Whoever acts for a user already is let through as that, and the user has not agreed to a third. A
        credential that is for some services gives no token for another one.
        """
        is_user = caller.principal.startswith(USER_PREFIX) and not caller.is_on_behalf
        if not is_user or not app.client.scope.permissions or not caller.is_for(self._audience_of(app)):
            return None
        consent = await self._door.consent(app.client.client_id, caller.principal)
        if consent is None:
            return None
        index = consent.status_index if visit is None else visit.status_index
        key = (app.client.client_id, app.audience, caller.client_id, index, caller.scope, caller.expires_at)
        handed = self._kept.get(key)
        if handed is None or handed.consent is not consent or now >= handed.until:
            minted = self._issue(app, caller, replace(consent, status_index=index), int(now))
            if minted is None:
                return None
            handed = _Handed(minted, consent, now + minted.expires_in * _HANDED_ON)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[key] = handed
        return handed.minted.raw

    def _audience_of(self, app: ProtectedApp) -> str:
        return app.audience or self._audience

    def _issue(self, app: ProtectedApp, caller: Caller, consent: Grant, now: int) -> Minted | None:
        """Within what the user lets the app have, and what the credential of the request may do."""
        ends_at = [int(at) for at in (consent.ends_at, caller.expires_at) if at is not None]
        ends_at.append(now + _LIFETIME)
        try:
            rights = consent.rights & Scope(caller.scope.permissions, consent.rights.words)
            grant = replace(consent, rights=rights, ends_at=min(ends_at), prepared={})
            return self._mint.mint(grant, self._audience_of(app), None, now)
        except (ScopeRefused, InvalidPermission):
            return None
