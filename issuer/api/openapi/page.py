"""How a page is described. Forms and refusals are answered with pages too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from issuer.api.openapi.responses import headers
from issuer.denials import STATUS

HTML = "text/html"
SESSION: dict[str, list[str]] = {"session": []}
PAGE_HEADERS = (
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "Cache-Control",
)
_COOKIE = ("Set-Cookie",)
_ALWAYS_REFUSED = ("server_error", "temporarily_unavailable")
_FORM_REFUSALS = (
    "invalid_request",
    "not_permitted",
    "request_timeout",
    "too_large",
    "unsupported_media_type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One method of one page."""

    method: str = "GET"
    path: str
    summary: str
    is_shown: bool = True
    """Whether there is a page; a form that only leads to the next one has none."""
    leads_on: bool = False
    """Whether it may lead to another page, or to where a client waits."""
    goes_back: bool = False
    """Whether it may lead back to a client (RFC 6749 section 4.1.2)."""
    needs_session: bool = False
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    """The fields beside `csrf`."""
    downloads: bool = False
    """Whether it answers with a file of text instead of a page."""
    refusals: tuple[str, ...] = ()
    """Codes of denials that not every page has."""

    @property
    def security(self) -> list[dict[str, Any]]:
        return [SESSION] if self.needs_session else []

    def responses(self) -> dict[str, dict[str, Any]]:
        """By status."""
        codes = {*_ALWAYS_REFUSED, *self.refusals, *(_FORM_REFUSALS if self.method == "POST" else ())}
        by_status: dict[int, list[str]] = {}
        for code in sorted(codes):
            by_status.setdefault(STATUS[code].value, []).append(code)
        answers = {
            str(status): _html("refused: " + ", ".join(of_status), *_retry_after(of_status))
            for status, of_status in sorted(by_status.items())
        }
        if self.downloads:
            answers["200"] = _file()
        elif self.is_shown:
            answers["200"] = _html("the page")
        if self.goes_back:
            back = headers(("Location", "Cache-Control", "Referrer-Policy"), _COOKIE)
            answers["302"] = {"description": "back to the client", "headers": back}
        if self.leads_on or self.needs_session:
            answers["303"] = {
                "description": "elsewhere",
                "headers": headers(("Location", "Cache-Control"), _COOKIE),
            }
        return answers


def _html(description: str, *always: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": headers((*PAGE_HEADERS, *always), _COOKIE),
        "content": {HTML: {"schema": {"type": "string"}}},
    }


def _file() -> dict[str, Any]:
    return {
        "description": "the file",
        "headers": headers(("Content-Disposition", "Cache-Control", "X-Content-Type-Options")),
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }


def _retry_after(codes: list[str]) -> tuple[str, ...]:
    return ("Retry-After",) if {"slow_down", "temporarily_unavailable"} & set(codes) else ()
