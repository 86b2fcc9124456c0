"""What the exchange is held against: a Starlette route that reads the same body and does nothing."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _read(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


app = Starlette(routes=[Route("/v1/token", _read, methods=["POST"])])


if __name__ == "__main__":
    # Every setting that makes a difference is as `hourmarkd serve` has it.
    uvicorn.run(
        "scripts.benchmarks.noop:app",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )
