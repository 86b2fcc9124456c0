"""client_credentials (RFC 6749 section 4.4): a role key becomes a one-hour token."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.requests import Request

from issuer.denials import Denial
from issuer.service import Service
from issuer.sign_ins import Issued

NAME = "client_credentials"


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    """Nothing is read and nothing written here once the role key is known."""
    grant = await service.clients.client(request, form)
    now = int(time.time())
    minted = service.mint.mint(grant, audience(service, form), form.get("scope"), now)
    service.credentials.last_exchanged[grant.client_id] = now
    return Issued(minted)


def audience(service: Service, form: Mapping[str, str]) -> str:
    """`resource` (RFC 8707) or `audience` (RFC 8693); without either the first of the settings."""
    resource, audience = form.get("resource"), form.get("audience")
    accepted = service.settings.accepted_audiences
    asked = resource or audience or accepted[0]
    if audience not in (None, asked) or asked not in accepted:
        raise Denial(
            "invalid_target", f"`resource` names no service known here; known: {', '.join(accepted)}"
        )
    return asked
