"""What arrives at the issuer double, and the forms of what goes back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

MADE = {"created_at": "2026-11-01T10:00:00Z", "created_by": "user:admin"}
PAGE = 2
Answer = tuple[int, Any]


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body or b"{}"))

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


def page(request: Request, items: list[dict[str, Any]]) -> Answer:
    """PAGE items of a list; more than one page is needed sooner than anybody would make real items."""
    start = int(request.query.get("cursor", ["0"])[0])
    following = str(start + PAGE) if start + PAGE < len(items) else None
    return 200, {"items": items[start : start + PAGE], "next_cursor": following}


def problem(status: int, code: str, detail: str) -> Answer:
    """RFC 9457."""
    title = code.replace("_", " ")
    return status, {
        "type": f"urn:hourmark:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "req-1",
    }
