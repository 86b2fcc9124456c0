"""The OpenAPI 3.1 document, from the same rows that the router reads."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from issuer.api import OPERATIONS
from issuer.api.operation import MAX_PAGE, NoBody, Operation
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
_TOKEN_FIELDS = ("token", "token_type_hint")
# method, path, summary, how it is authenticated, form fields, media type of the answer
_PROTOCOL = (
    ("post", "/v1/token", "Exchange a role key for a token (RFC 6749)", "roleKey",
     ("grant_type", "scope", "resource", "audience"), _JSON),
    ("get", "/v1/token", "A job's token, for its ticket", "bearer", (), _JSON),
    ("post", "/v1/introspect", "What a token says (RFC 7662)", "roleKey", _TOKEN_FIELDS, _JSON),
    ("post", "/v1/revoke", "End the tokens of a secret (RFC 7009)", "roleKey", _TOKEN_FIELDS, None),
    ("get", "/v1/me", "Any live credential about itself", "bearer", (), _JSON),
    ("get", "/.well-known/openid-configuration", "Metadata (OpenID Connect Discovery)", None, (), _JSON),
    ("get", "/.well-known/oauth-authorization-server", "Metadata (RFC 8414)", None, (), _JSON),
    ("get", "/.well-known/jwks.json", "Public keys (RFC 7517)", None, (), "application/jwk-set+json"),
    ("get", "/status/{number}", "Token Status List", None, (), "application/statuslist+jwt"),
    ("get", "/livez", "Whether the process runs", None, (), _JSON),
    ("get", "/readyz", "Whether it can issue tokens", None, (), _JSON),
    ("get", "/v1/openapi.json", "This document", None, (), _JSON),
)  # fmt: skip


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
    for method, path, summary, security, fields, media_type in _PROTOCOL:
        paths.setdefault(path, {})[method] = _protocol(path, summary, security, fields, media_type)
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
    return Response(orjson.dumps(document(service.settings.issuer_url)), media_type=_JSON)


def _operation(operation: Operation, names: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own mapping
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": f"{operation.handler.__module__.rpartition('.')[2]}_{operation.handler.__name__}",
        "security": [{"bearer": []}, {"roleKey": []}],
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


def _protocol(
    path: str, summary: str, security: str | None, fields: tuple[str, ...], media_type: str | None
) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "done"}
    if media_type is not None:
        done["content"] = {media_type: {}}
    is_oauth = security == "roleKey" or path == "/v1/token"
    refused = _refused("OAuthError", _JSON) if is_oauth else _refused("Problem", "application/problem+json")
    described: dict[str, Any] = {
        "summary": summary,
        "security": [{security: []}] if security else [],
        "parameters": _path_parameters(path),
        "responses": {"200": done, "default": refused},
    }
    if fields:
        schema = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
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
