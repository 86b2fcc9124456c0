"""Whether the process runs, and whether it can issue."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from issuer.service import Service
from issuer.signing import NoSigningKey
from issuer.store.database import StoreUnavailable


async def livez(service: Service, request: Request) -> Response:
    """The process answers; the database may be gone."""
    del service, request
    return JSONResponse({"status": "alive"})


async def readyz(service: Service, request: Request) -> Response:
    del request
    try:
        service.coherence.check()
        _ = service.signing.current
    except (StoreUnavailable, NoSigningKey) as error:
        return JSONResponse({"status": "unavailable", "reason": str(error)}, 503, {"Retry-After": "1"})
    return JSONResponse({"status": "ready"})
