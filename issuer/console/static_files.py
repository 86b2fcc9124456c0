"""Style sheets, script and mark: in memory, at paths that change with the content, kept for ever."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from issuer.resources import Row
from issuer.service import Service

_FOR_EVER = "public, max-age=31536000, immutable"
STYLE_SHEETS = ("ground.css", "frame.css", "parts.css", "lists.css", "forms.css")
_MEDIA_TYPES = dict.fromkeys(STYLE_SHEETS, "text/css") | {
    "icon.svg": "image/svg+xml",
    "passkey.js": "text/javascript",
    "copy.js": "text/javascript",
    "reach.js": "text/javascript",
}


@dataclass(frozen=True, slots=True)
class _StaticFile:
    """One file, and what its path says of its content."""

    content: bytes
    version: str
    media_type: str

    async def respond(self, service: Service, request: Request) -> Response:
        del service
        # While a new version replaces this one, a page of the other may ask here: it gets what there is.
        is_asked_for = request.path_params["version"] == self.version
        headers = {
            "Cache-Control": _FOR_EVER if is_asked_for else "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(self.content, headers=headers, media_type=self.media_type)


def _read(name: str, media_type: str) -> _StaticFile:
    content = files("issuer.console").joinpath("static", name).read_bytes()
    return _StaticFile(content, sha256(content).hexdigest()[:16], media_type)


_FILES = {name: _read(name, media_type) for name, media_type in _MEDIA_TYPES.items()}
ROWS = tuple(Row("GET", f"/static/{{version}}/{name}", file.respond) for name, file in _FILES.items())


def path(name: str) -> str:
    """Where a page finds a file."""
    return f"/static/{_FILES[name].version}/{name}"
