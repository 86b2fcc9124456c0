"""client_credentials (RFC 6749 section 4.4): a role key, or an app that is a role, gets a one-hour token."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlmodel import Session
from starlette.requests import Request

from issuer.clients import Client
from issuer.denials import Denial
from issuer.grants.audience import asked_audience
from issuer.mint import Grant
from issuer.service import Service
from issuer.sign_ins import Issued
from issuer.store import principals, rights

NAME = "client_credentials"


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    """Nothing is read and nothing written here once the role key is known."""
    now = int(time.time())
    asker = await service.apps.app_or_role_key(request, form)
    if isinstance(asker, Client):
        own = await service.read(lambda session: _own(session, asker))
        audience = asked_audience(service.settings, form)
        return Issued(service.mint.mint(own, audience, form.get("scope"), now))
    audience = asked_audience(service.settings, form, None, asker.audiences)
    minted = service.mint.mint(asker, audience, form.get("scope"), now)
    service.credentials.exchanges.note(asker.client_id, now)
    return Issued(minted)


def _own(session: Session, client: Client) -> Grant:
    """What the app is when it acts for nobody. Raises Denial."""
    if client.is_public:
        # RFC 6749 section 4.4: anybody could say that they are it.
        raise Denial("unauthorized_client", "an app that proves nothing gets nothing for itself")
    role = None if client.role is None else principals.find(session, client.role)
    if role is None:
        raise Denial("unauthorized_client", "the app is no role: it can only act for users")
    held = rights.held(session, role)
    return Grant(
        subject=role.name,
        client_id=client.client_id,
        rights=held,
        roles=rights.by_role(session, role, held),
        status_index=client.status_index,
        ends_at=None,
    )
