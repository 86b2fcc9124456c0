"""jwt-bearer (RFC 7523 section 2.1): an outside issuer's JWT becomes a role's token."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from issuer.denials import Denial
from issuer.grants import outside_identity
from issuer.service import Service
from issuer.sign_ins import Issued

NAME = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    """Raises Denial."""
    if "assertion" not in form:
        raise Denial("invalid_request", "assertion is missing")
    return Issued(await outside_identity.issue(service, request, form, form["assertion"], "invalid_grant"))
