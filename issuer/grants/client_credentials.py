"""client_credentials (RFC 6749 section 4.4): a role key becomes a one-hour token."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.requests import Request

from issuer.grants.audience import asked_audience
from issuer.service import Service
from issuer.sign_ins import Issued

NAME = "client_credentials"


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    """Nothing is read and nothing written here once the role key is known."""
    grant = await service.clients.client(request, form)
    now = int(time.time())
    minted = service.mint.mint(grant, asked_audience(service.settings, form), form.get("scope"), now)
    service.credentials.last_exchanged[grant.client_id] = now
    return Issued(minted)
