"""What API tokens can be made for. Nobody needs a credential to know it."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from issuer.service import Service


async def get_presets(service: Service, request: Request) -> Response:
    """What API tokens can be made for, in the order of the settings."""
    del request
    found = service.settings.presets.items()
    items = [{"name": name, **preset.model_dump()} for name, preset in found]
    return Response(orjson.dumps({"items": items}), media_type="application/json")
