"""How answers are described: what was asked for, and every refusal with its codes and headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from issuer.denials import OAUTH_NAMES, STATUS, Dialect, registry_name
from issuer.gateway.forward_auth import HANDED_ON, REASONS, REFUSED_HEADER

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
_TEXT = {"type": "string"}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "as in the issuer's log", "schema": _TEXT},
    "ETag": {"description": "the version", "schema": {"type": "string", "pattern": '^"[^"]+"$'}},
    "Location": {"schema": {"type": "string", "format": "uri-reference"}},
    "Cache-Control": {"schema": _TEXT},
    "Vary": {"schema": _TEXT},
    "Preference-Applied": {"description": "RFC 7240; whether it was waited", "schema": _TEXT},
    **{
        f"Access-Control-{name}": {"description": "Fetch, CORS protocol", "schema": _TEXT}
        for name in ("Allow-Origin", "Expose-Headers", "Allow-Methods", "Allow-Headers", "Max-Age")
    },
    "Content-Security-Policy": {"schema": _TEXT},
    "Referrer-Policy": {"schema": _TEXT},
    "X-Content-Type-Options": {"schema": {"const": "nosniff"}},
    "Content-Disposition": {"description": "RFC 6266", "schema": _TEXT},
    "Set-Cookie": {"description": "RFC 6265", "schema": _TEXT},
    "Retry-After": {"description": "seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    **{
        name: {"description": "for the app behind the proxy, in place of the client's", "schema": _TEXT}
        for name in HANDED_ON
    },
    REFUSED_HEADER: {"description": "the reason", "schema": {"enum": list(REASONS)}},
    "WWW-Authenticate": {"description": "RFC 6750, RFC 7617", "schema": _TEXT},
}
# The header that comes with every refusal of a code.
_HEADER_OF = {
    "invalid_client": "WWW-Authenticate",
    "invalid_token": "WWW-Authenticate",
    "insufficient_scope": "WWW-Authenticate",
    "slow_down": "Retry-After",
    "temporarily_unavailable": "Retry-After",
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "Problem": {
        "description": "RFC 9457",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "additionalProperties": False,
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": {"enum": sorted(STATUS)},
            "request_id": _TEXT,
            "errors": {
                "description": "each field, or parameter, that is wrong",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "additionalProperties": False,
                    "properties": {"field": _TEXT, "message": _TEXT},
                },
            },
            "missing": {"description": "the permissions that the caller would need", "type": "string"},
            "reason": {"description": "why a token was refused", "type": "string"},
        },
    },
    "OAuthError": {
        "description": "RFC 6749 section 5.2",
        "type": "object",
        "required": ["error", "error_description"],
        "additionalProperties": False,
        "properties": {
            "error": {"enum": sorted(set(STATUS) - set(OAUTH_NAMES))},
            "error_description": _TEXT,
        },
    },
    "RegistryErrors": {
        "description": "the distribution specification's errors",
        "type": "object",
        "required": ["errors"],
        "additionalProperties": False,
        "properties": {
            "errors": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["code", "message", "detail"],
                    "additionalProperties": False,
                    "properties": {
                        "code": {"enum": sorted(set(map(registry_name, STATUS)))},
                        "message": _TEXT,
                        "detail": {"type": "null"},
                    },
                },
            }
        },
    },
}


def headers(always: Iterable[str], sometimes: Iterable[str] = ()) -> dict[str, Any]:
    """By name, the id of the request among them."""
    required = {name: HEADERS[name] | {"required": True} for name in ("X-Request-Id", *always)}
    return required | {name: HEADERS[name] for name in sometimes}


def done(
    schema: Mapping[str, Any] | None,
    media_type: str = JSON,
    *,
    always: Iterable[str] = (),
    sometimes: Iterable[str] = (),
) -> dict[str, Any]:
    """What was asked for; without a schema it has no body."""
    described: dict[str, Any] = {"description": "done", "headers": headers(always, sometimes)}
    return described if schema is None else described | {"content": {media_type: {"schema": schema}}}


def unchanged(*, always: Iterable[str] = (), sometimes: Iterable[str] = ()) -> dict[str, Any]:
    """304: the client has it."""
    return {"description": "as If-None-Match says", "headers": headers(always, sometimes)}


def refused(codes: Iterable[str], dialect: Dialect = "problem") -> dict[str, dict[str, Any]]:
    """By status, the refusals of these codes in the dialect of the endpoint."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(set(codes)):
        by_status.setdefault(STATUS[code].value, []).append(code)
    render = {"oauth": _oauth_error, "registry": _registry_errors, "problem": _problem}[dialect]
    return {str(status): render(status, of_status) for status, of_status in sorted(by_status.items())}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    narrower = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    return _refused("Problem", narrower, PROBLEM_JSON, codes)


def _oauth_error(status: int, codes: list[str]) -> dict[str, Any]:
    del status  # these bodies do not repeat it
    names = sorted({OAUTH_NAMES.get(code, code) for code in codes})
    return _refused("OAuthError", {"properties": {"error": {"enum": names}}}, JSON, codes)


def _registry_errors(status: int, codes: list[str]) -> dict[str, Any]:
    del status
    names = sorted(set(map(registry_name, codes)))
    narrower = {"properties": {"errors": {"items": {"properties": {"code": {"enum": names}}}}}}
    return _refused("RegistryErrors", narrower, JSON, codes)


def _refused(schema: str, narrower: dict[str, Any], media_type: str, codes: list[str]) -> dict[str, Any]:
    named = [_HEADER_OF.get(code) for code in codes]
    always = {name for name in named if name is not None and named.count(name) == len(codes)}
    return {
        "description": "refused: " + ", ".join(codes),
        "headers": headers(
            ("Cache-Control", *sorted(always)), sorted({name for name in named if name} - always)
        ),
        "content": {
            media_type: {"schema": {"allOf": [{"$ref": f"#/components/schemas/{schema}"}, narrower]}}
        },
    }
