"""The OpenAPI 3.1 document, from the same rows that the router reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from issuer.api import OPERATIONS
from issuer.api.operation import MAX_PAGE, NoBody, Operation
from issuer.denials import OAUTH_PATHS
from issuer.service import Service

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
_OAUTH_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
_BEARER: dict[str, list[str]] = {"bearer": []}
_ROLE_KEY: dict[str, list[str]] = {"roleKey": []}
_TOKEN_FIELDS = ("token", "token_type_hint")


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """A path that a specification defines, and not we."""

    method: str
    path: str
    summary: str
    security: tuple[dict[str, Any], ...] = ()
    form: tuple[str, ...] = ()
    media_type: str | None = _JSON
    """Of the answer; None for an answer without a body."""


_ENDPOINTS = (
    _Endpoint(
        "post",
        "/v1/token",
        "Exchange a role key for a token (RFC 6749)",
        (_ROLE_KEY,),
        ("grant_type", "scope", "resource", "audience"),
    ),
    _Endpoint("get", "/v1/token", "A job's token, for its ticket", (_BEARER,)),
    _Endpoint("post", "/v1/introspect", "What a token says (RFC 7662)", (_ROLE_KEY, _BEARER), _TOKEN_FIELDS),
    _Endpoint(
        "post", "/v1/revoke", "End the tokens of a secret (RFC 7009)", (_ROLE_KEY,), _TOKEN_FIELDS, None
    ),
    _Endpoint("get", "/v1/me", "Any live credential about itself", (_BEARER, _ROLE_KEY)),
    _Endpoint("get", "/.well-known/openid-configuration", "Metadata (OpenID Connect Discovery)"),
    _Endpoint("get", "/.well-known/oauth-authorization-server", "Metadata (RFC 8414)"),
    _Endpoint(
        "get", "/.well-known/jwks.json", "Public keys (RFC 7517)", media_type="application/jwk-set+json"
    ),
    _Endpoint("get", "/status/{number}", "Token Status List", media_type="application/statuslist+jwt"),
    _Endpoint("get", "/livez", "Whether the process runs"),
    _Endpoint("get", "/readyz", "Whether it can issue tokens"),
    _Endpoint("get", "/v1/openapi.json", "This document"),
)


def document(issuer: str) -> dict[str, Any]:
    models = {operation.answer for operation in OPERATIONS} | {operation.body for operation in OPERATIONS}
    ordered = sorted(models - {NoBody}, key=lambda model: model.__name__)
    names, definitions = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template=_REF
    )
    schemas = definitions.get("$defs", {}) | {"Problem": _PROBLEM, "OAuthError": _OAUTH_ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, names)
    for endpoint in _ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = _endpoint(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hourmark", "version": version("hourmark")},
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "role key, or token for the issuer",
                },
                "roleKey": {"type": "http", "scheme": "basic", "description": "role key: access as user"},
            },
        },
    }


async def get_openapi(service: Service, request: Request) -> Response:
    del request
    return Response(_bytes(service.settings.issuer_url), media_type=_JSON)


@cache
def _bytes(issuer: str) -> bytes:
    """Made once: it takes as long as a thousand exchanges."""
    return orjson.dumps(document(issuer))


def _operation(operation: Operation, names: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own mapping
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": f"{operation.handler.__module__.rpartition('.')[2]}_{operation.handler.__name__}",
        "security": [_BEARER, _ROLE_KEY],
        "x-permission": operation.permission,
        "parameters": _path_parameters(operation.path),
        "responses": {
            str(operation.status): {
                "description": "done",
                "content": {_JSON: {"schema": names[operation.answer, "serialization"]}},
            },
            "default": _refused("Problem", "application/problem+json"),
        },
    }
    if operation.body is not NoBody:
        schema = names[operation.body, "serialization"]
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    if operation.is_list:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}
        described["parameters"] += [
            {"name": "limit", "in": "query", "schema": limit},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}},
        ]
    return described


def _endpoint(endpoint: _Endpoint) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "done"}
    if endpoint.media_type is not None:
        done["content"] = {endpoint.media_type: {}}
    is_oauth = endpoint.path in OAUTH_PATHS
    refused = _refused("OAuthError", _JSON) if is_oauth else _refused("Problem", "application/problem+json")
    described: dict[str, Any] = {
        "summary": endpoint.summary,
        "security": list(endpoint.security),
        "parameters": _path_parameters(endpoint.path),
        "responses": {"200": done, "default": refused},
    }
    if endpoint.form:
        schema = {"type": "object", "properties": {field: {"type": "string"} for field in endpoint.form}}
        described["requestBody"] = {"required": True, "content": {_FORM: {"schema": schema}}}
    return described


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _refused(schema: str, media_type: str) -> dict[str, Any]:
    return {
        "description": "refused",
        "content": {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
