"""A small real app behind a door: it says what it is told, and calls the platform with what it is handed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from html import escape

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PLATFORM = "PLATFORM"
"""The variable that says where the platform's API is."""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Notes</title>
<link rel="icon" href="data:,"></head>
<body><h1>Notes</h1><p id="who">{who}</p><p id="where">{where}</p><p id="jobs"></p>
<script>
fetch("/v1/me").then(answer => answer.json()).then(me => {{
  document.getElementById("jobs").textContent = me.principal + " may " + me.scope
}})
</script></body></html>"""


async def page(request: Request) -> HTMLResponse:
    who = escape(request.headers.get("hourmark-subject", "nobody"))
    return HTMLResponse(_PAGE.format(who=who, where=escape(str(request.url.path))))


async def headers(request: Request) -> JSONResponse:
    """All of them, with every value."""
    return JSONResponse([[name.decode(), value.decode("latin-1")] for name, value in request.headers.raw])


async def platform(request: Request) -> JSONResponse:
    """What the platform says to the app, which has nothing but what it was handed."""
    handed = {"Authorization": request.headers.get("authorization", "")}
    async with httpx.AsyncClient(base_url=os.environ[PLATFORM]) as client:
        answer = await client.get("/v1/me", headers=handed)
    return JSONResponse({"status": answer.status_code, "said": answer.json()})


async def posted(request: Request) -> JSONResponse:
    return JSONResponse({"characters": len(await request.body())})


async def cookies(request: Request) -> HTMLResponse:
    """Has the browser set what the query says, byte by byte."""
    answer = HTMLResponse("done")
    answer.raw_headers += [
        (b"set-cookie", said.encode("latin-1")) for _, said in request.query_params.multi_items()
    ]
    return answer


async def events(request: Request) -> StreamingResponse:
    """One at once, and no other as long as somebody listens."""

    async def stream() -> AsyncIterator[str]:
        yield f"data: {request.headers.get('hourmark-subject', 'nobody')}\n\n"
        await asyncio.Event().wait()

    return StreamingResponse(stream(), media_type="text/event-stream")


async def talk(socket: WebSocket) -> None:
    """Says again what it is told, and by whom."""
    await socket.accept()
    who = socket.headers.get("hourmark-subject", "nobody")
    with suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(f"{who} says {await socket.receive_text()}")


app = Starlette(
    routes=[
        Route("/headers", headers),
        Route("/platform", platform),
        Route("/posted", posted, methods=["POST"]),
        Route("/events", events),
        Route("/cookies", cookies),
        WebSocketRoute("/talk", talk),
        Route("/{path:path}", page),
    ]
)
