"""A verifier of today, its tokens, and what every service here serves, in whichever framework.

GET /livez             public; tells who asks: nobody
GET /who               tells who asks
GET /all               requires data:get
GET /data/{workspace}  requires data:get on {workspace}
GET /apps/{name}       asks the token for app:query on {name}, which has the label group=A
GET /labels/{name}     submits the label hourmark/{name}
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

from tests.verifier import forge
from verifier import Token, Trust, Verifier
from verifier.labels import as_submitted
from verifier.status_list import TYP, StatusList

REVOKED = 5
PUBLIC = ("/livez", "/openapi.json")
LABELS = {"group": "A"}
Service = Callable[[str, str | None], httpx.Response]
"""The answer to a path and an Authorization header."""


@cache
def verifier() -> Verifier:
    now = int(time.time())
    content = StatusList.of(forge.LIST_URI, [REVOKED], version=1, now=now, ttl=15, lifetime=86400)
    document = forge.key().sign(content.to_payload(forge.ISSUER), TYP).encode()
    trust = Trust.from_documents(issuer=forge.ISSUER, jwks=forge.jwks(), status_lists=[document])
    return Verifier(forge.ISSUER, forge.AUDIENCE, trust=trust)


def token(scope: str = "", **changes: Any) -> str:
    """A good one, lasting an hour from now, with `changes`."""
    now = int(time.time())
    claims = forge.claims(**{"iat": now, "exp": now + 3600, "scope": scope} | changes)
    return forge.key().sign(json.dumps(claims).encode(), "at+jwt")


def told(given: Token | None) -> dict[str, str | None]:
    """What a service says about who asks."""
    return {"subject": given.subject if given is not None else None}


def submitted(name: str) -> dict[str, str]:
    """The labels of an app. Raises InvalidLabel."""
    return as_submitted({f"hourmark/{name}": "mine"}, resource_id="app_1", resource_type="app")
