"""The whole document: operations, endpoints, and what they share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from issuer.api import OPERATIONS
from issuer.api.openapi.endpoint import Endpoint
from issuer.api.openapi.endpoints import BEARER, ENDPOINTS, ROLE_KEY
from issuer.api.openapi.page import Page
from issuer.api.openapi.pages import PAGES
from issuer.api.openapi.responses import JSON, SCHEMAS, done, refused, unchanged
from issuer.api.operation import NoBody, Operation
from issuer.browser import SESSION_COOKIE
from issuer.denials import OAUTH_PATHS, REGISTRY_PATHS, dialect
from issuer.service import Service

_FORM = "application/x-www-form-urlencoded"
_REF = "#/components/schemas/{model}"
_EVERY_REFUSAL = ("head_too_large", "misdirected_request", "server_error")
# Of an operation: the caller is identified, its query and its preconditions are read.
_OPERATION_REFUSALS = (
    "invalid_request",
    "invalid_token",
    "insufficient_scope",
    "precondition_failed",
    "invalid_field",
    "slow_down",
    "temporarily_unavailable",
)
_BODY_REFUSALS = ("request_timeout", "too_large", "unsupported_media_type")
_DESCRIPTION = (
    "A path that is not here is answered with 404, a method that a path does not take with 405 and `Allow`, "
    "another host than this issuer's with 421, a request line with headers of more than 64 KB with 431. "
    "GET stands for HEAD too. Refusals are OAuth errors (RFC 6749) "
    f"at {', '.join(sorted(OAUTH_PATHS))}, registries' errors below {REGISTRY_PATHS}, "
    "pages where pages are, and problems (RFC 9457) everywhere else; "
    "what is not here is a page too for whoever accepts text/html."
)
_REQUEST_HEADERS = {
    "If-Match": "change it only if it is at this version: its ETag, or * for any",
    "If-None-Match": "answer only if it is at another version than this ETag",
    "Hourmark-Proxy-Secret": "what the proxy proves itself by",
    "X-Original-URL": "the request as nginx has it: scheme, host, path and query",
    "X-Original-Method": "its method",
    "X-Forwarded-Proto": "the request as other proxies have it: the scheme",
    "X-Forwarded-Host": "its host, with the port if that is not the usual one",
    "X-Forwarded-Uri": "its path and query",
    "X-Forwarded-Method": "its method",
    "Prefer": "wait=SECONDS, at most 30: wait for the next version (RFC 7240)",
}

Schemas = dict[tuple[type[BaseModel], Literal["validation", "serialization"]], dict[str, Any]]


def document(issuer: str) -> dict[str, Any]:
    """For the issuer of this URL."""
    schemas, definitions = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _endpoint(endpoint, schemas)
    for page in PAGES:
        paths.setdefault(page.path, {})[page.method.lower()] = _page(page)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hourmark", "version": version("hourmark"), "description": _DESCRIPTION},
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {
            "schemas": definitions | SCHEMAS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "role key, or token for the issuer",
                },
                "roleKey": {"type": "http", "scheme": "basic", "description": "role key: access as user"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": "a browser in which somebody is signed in",
                },
            },
        },
    }


async def get_openapi(service: Service, request: Request) -> Response:
    del request
    return Response(_bytes(service.settings.issuer_url), media_type=JSON)


@cache
def _bytes(issuer: str) -> bytes:
    """Made once: it takes as long as a thousand exchanges."""
    return orjson.dumps(document(issuer))


def _schemas() -> tuple[Schemas, dict[str, Any]]:
    """How each model is referred to, and all of them by name."""
    answers: set[type[BaseModel] | None] = {operation.answer for operation in OPERATIONS}
    answers |= {model for endpoint in ENDPOINTS for model in (endpoint.answer, endpoint.unavailable)}
    bodies = {operation.body for operation in OPERATIONS} - {NoBody}
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "serialization") for model in answers if model is not None),
        *((model, "validation") for model in bodies),
    ]
    models.sort(key=lambda model: model[0].__name__)
    schemas, definitions = models_json_schema(models, ref_template=_REF)
    return schemas, definitions["$defs"]  # type: ignore[return-value] # the models are ours, and so their type


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    is_read = operation.method == "GET"
    etag = ("ETag",) if operation.has_etag else ()
    # What is deleted already may have no role any more whose version could be told.
    always, sometimes = ((), etag) if operation.method == "DELETE" else (etag, ())
    location = ("Location",) if operation.location else ()
    refusals = (*_EVERY_REFUSAL, *_OPERATION_REFUSALS, *operation.refusals)
    parameters = _path_parameters(operation.path) + _query_parameters(operation)
    if operation.is_conditional:
        parameters += _header_parameters(("If-Match", "If-None-Match"))
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": f"{operation.handler.__module__.rpartition('.')[2]}_{operation.handler.__name__}",
        "security": [BEARER, ROLE_KEY],
        "x-permission": operation.permission,
        "parameters": parameters,
        "responses": {
            str(operation.status): done(
                schemas[operation.answer, "serialization"],
                always=("Cache-Control", *always, *location),
                sometimes=sometimes,
            )
        },
    }
    if is_read and operation.has_etag:
        described["responses"]["304"] = unchanged(always=("Cache-Control", "ETag"))
    if operation.body is not NoBody:
        refusals += _BODY_REFUSALS
        schema = schemas[operation.body, "validation"]
        is_required = any(field.is_required() for field in operation.body.model_fields.values())
        described["requestBody"] = {"required": is_required, "content": {JSON: {"schema": schema}}}
    described["responses"] |= refused(refusals)
    return described


def _endpoint(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    always, sometimes = endpoint.always, endpoint.sometimes
    schema = None if endpoint.answer is None else schemas[endpoint.answer, "serialization"]
    refusals = (*_EVERY_REFUSAL, *endpoint.refusals)
    responses = {str(endpoint.status): done(schema, endpoint.media_type, always=always, sometimes=sometimes)}
    responses |= refused(refusals, dialect(endpoint.path))
    if endpoint.responses is not None:
        responses = dict(endpoint.responses)
    if "If-None-Match" in endpoint.request_headers:
        responses["304"] = unchanged(always=always, sometimes=sometimes)
    if endpoint.unavailable is not None:
        responses["503"] = done(schemas[endpoint.unavailable, "serialization"], always=("Retry-After",))
    described: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint.method, endpoint.path),
        "security": list(endpoint.security),
        "parameters": _path_parameters(endpoint.path)
        + _texts_in_query(endpoint.query)
        + _header_parameters(endpoint.request_headers),
        "responses": responses,
    }
    if endpoint.permission is not None:
        described["x-permission"] = endpoint.permission
    if endpoint.form:
        described["requestBody"] = _form(endpoint.form, endpoint.required)
    return described


def _page(page: Page) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": page.summary,
        "operationId": _operation_id(page.method, page.path),
        "security": page.security,
        "parameters": _path_parameters(page.path) + _texts_in_query(page.query),
        # Too long, of another host, of a method that it does not take: it is refused before it is a page.
        "responses": page.responses() | refused(("head_too_large", "misdirected_request")),
    }
    if page.method == "POST":
        described["requestBody"] = _form((*page.form, "csrf"), ("csrf",))
    return described


def _operation_id(method: str, path: str) -> str:
    return "_".join(re.findall(r"\w+", f"{method.lower()}{path}"))


def _form(fields: Iterable[str], required: Iterable[str]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {field: {"type": "string"} for field in fields},
        "required": list(required),
    }
    return {"required": True, "content": {_FORM: {"schema": schema}}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    return [
        {"name": name, "in": "query", "schema": _without_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _texts_in_query(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not sent is none that is null."""
    kept = {name: value for name, value in field.items() if name not in ("title", "default", "anyOf")}
    for choice in field.get("anyOf", ()):
        if choice != {"type": "null"}:
            kept |= choice
    return kept


def _header_parameters(names: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "description": _REQUEST_HEADERS[name], "schema": {"type": "string"}}
        for name in names
    ]
