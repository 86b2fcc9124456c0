"""Every answer of a live issuer is compared with what its OpenAPI document says (tests/recorded.py).

Not compared is the server's own answer to what is no HTTP, from below the application, which knows neither
paths nor ids: tests/issuer/http/test_odd_requests.py holds it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

from issuer.api.openapi import document
from issuer.api.openapi.page import HTML, PAGE_HEADERS
from issuer.denials import dialect
from issuer.resources import OTHER_THAN_IT_LOOKS

_UNDESCRIBED = {
    404: "not_found",
    405: "method_not_allowed",
    421: "misdirected_request",
    431: "head_too_large",
}
"""How what is not in the document is refused."""

_ANYWHERE = frozenset(
    {"cache-control", "connection", "content-length", "content-type", "pragma", "transfer-encoding"}
)
"""Headers that need no description: HTTP's own, which say nothing of what is asked for."""


@dataclass(frozen=True)
class Answer:
    """An answer, and the question as far as the document knows it."""

    method: str
    path: str
    """Without escapes."""
    raw_path: str
    """As sent, without the query."""
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By name in lower case."""
    body: bytes = field(repr=False)

    def __str__(self) -> str:
        """What it may be called in a failure: headers and body may hold secrets."""
        return f"{self.method} {self.path[:200]} -> {self.status}"

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    def content(self) -> object:
        """Raises ValueError."""
        return json.loads(self.body) if self.media_type.endswith("json") else self.body.decode()


@dataclass(frozen=True)
class Expected:
    """An answer as it is described."""

    required: frozenset[str]
    headers: Mapping[str, OAS31Validator]
    content: Mapping[str, OAS31Validator]
    """By media type; empty for an answer without a body."""

    def differences(self, answer: Answer) -> Iterator[str]:
        """A line each."""
        for name in sorted(self.required):
            if name.lower() not in answer.headers:
                yield f"header {name} is missing"
        for name in sorted(answer.headers.keys() - _ANYWHERE - {name.lower() for name in self.headers}):
            yield f"header {name} is not described"
        for name, validator in self.headers.items():
            if name.lower() in answer.headers:
                yield from _errors(f"header {name}", validator, answer.headers[name.lower()])
        if answer.method != "HEAD":
            yield from self._differences_of_body(answer)

    def _differences_of_body(self, answer: Answer) -> Iterator[str]:
        if not self.content:
            if answer.body:
                yield "it has a body"
        elif answer.media_type not in self.content:
            yield f"media type {answer.media_type!r} is not {' or '.join(self.content)}"
        else:
            try:
                content = answer.content()
            except ValueError:
                yield "the body cannot be read as its media type"
            else:
                yield from _errors("body", self.content[answer.media_type], content)


class Description:
    """A document, ready to compare answers with."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._components = spec["components"]
        self._paths: dict[str, dict[str, Any]] = spec["paths"]
        self._patterns = {
            path: re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))) for path in self._paths
        }
        # A schema is compiled once, for the first answer that is compared with it.
        self._expected: dict[tuple[str, str, int], Expected | None] = {}

    def differences(self, answer: Answer) -> list[str]:
        """Where the answer is not as described."""
        path, sent = answer.path, answer.raw_path
        found = next((each for each, form in self._patterns.items() if form.fullmatch(path)), path)
        # Only a parameter may be escaped, and no path begins or ends within one.
        is_itself = "{" in found and not OTHER_THAN_IT_LOOKS.search(sent.encode())
        path = found if is_itself or found == sent else sent
        method = "get" if answer.method == "HEAD" else answer.method.lower()
        key = (path, method, answer.status)
        if key not in self._expected:
            self._expected[key] = self._compile(*key)
        expected = self._expected[key]
        if expected is None:
            return ["there is no such status"]
        return list(expected.differences(answer))

    def _compile(self, path: str, method: str, status: int) -> Expected | None:
        item = self._paths.get(path, {})
        if method in item:
            described = item[method]["responses"].get(str(status))
        else:
            described = _undescribed(path, set(item), status)
        if described is None:
            return None
        headers = described.get("headers", {})
        return Expected(
            frozenset(name for name, header in headers.items() if header.get("required")),
            {name: self._validator(header["schema"]) for name, header in headers.items()},
            {kind: self._validator(body["schema"]) for kind, body in described.get("content", {}).items()},
        )

    def _validator(self, schema: Mapping[str, Any]) -> OAS31Validator:
        whole = {**schema, "components": self._components}
        return OAS31Validator(whole, format_checker=oas31_format_checker)


def _undescribed(path: str, methods: set[str], status: int) -> dict[str, Any] | None:
    """What the document says in words, of a path that is not there and a method that a path does not take."""
    if status not in (405 if methods else 404, 421, 431):
        return None
    headers: dict[str, Any] = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}
    if status == 405:
        allowed = sorted(method.upper() for method in methods | ({"head"} if "get" in methods else set()))
        headers["Allow"] = {"required": True, "schema": {"const": ", ".join(allowed)}}
    schema = {"oauth": "OAuthError", "registry": "RegistryErrors"}.get(dialect(path))
    if schema is not None:
        return {
            "headers": headers,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
        }
    code = {"properties": {"code": {"const": _UNDESCRIBED[status]}}}
    problem = {"allOf": [{"$ref": "#/components/schemas/Problem"}, code]}
    headers |= {name: {"schema": {"type": "string"}} for name in PAGE_HEADERS}
    page = {HTML: {"schema": {"type": "string"}}}
    return {"headers": headers, "content": {"application/problem+json": {"schema": problem}, **page}}


def _errors(where: str, validator: OAS31Validator, value: object) -> Iterator[str]:
    for error in validator.iter_errors(value):
        # A secret may be in what does not fit.
        yield f"{where} at {error.json_path}: it breaks {error.validator!r} of the schema"


# The URL is in the list of servers only, so that one document is every issuer's.
_DESCRIPTION = Description(document("https://issuer.example"))


def differences(answer: Answer) -> list[str]:
    """Where it is not as described; a line each, without secrets."""
    return _DESCRIPTION.differences(answer)
