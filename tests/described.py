"""Every answer of a live issuer is what its OpenAPI document says, or the test that asked for it fails.

`check` is the event hook of every client of the tests that asks an issuer; tests/test_compared_clients.py
names the few that cannot have it. Not compared are:

- the server's own answer to what is no HTTP, from below the application, which knows neither paths nor ids;
- what raw sockets read (tests/issuer/http/sockets.py): it may be cut off, and its question may be no request;
- what programs read for themselves: our verifier and command line, curl, PyJWT, jose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator

from issuer.api.openapi import document
from issuer.denials import OAUTH_PATHS
from issuer.resources import OTHER_THAN_IT_LOOKS

BELOW_THE_APPLICATION = (400, b"Invalid HTTP request received.")
_UNDESCRIBED = {404: "not_found", 405: "method_not_allowed", 421: "misdirected_request"}
"""How what is not in the document is refused."""


class NotDescribed(AssertionError):
    """An answer that the document does not foresee; the message says where they differ."""


@dataclass(frozen=True)
class Expected:
    """An answer as it is described."""

    required: frozenset[str]
    headers: Mapping[str, OAS31Validator]
    content: Mapping[str, OAS31Validator]
    """By media type; empty for an answer without a body."""

    def differences(self, answer: httpx.Response) -> Iterator[str]:
        """A line each."""
        for name in sorted(self.required):
            if name not in answer.headers:
                yield f"header {name} is missing"
        for name, validator in self.headers.items():
            if name in answer.headers:
                yield from _errors(f"header {name}", validator, answer.headers[name])
        if answer.request.method != "HEAD":
            yield from self._differences_of_body(answer)

    def _differences_of_body(self, answer: httpx.Response) -> Iterator[str]:
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if not self.content:
            if answer.content:
                yield "it has a body"
        elif media_type not in self.content:
            yield f"media type {media_type!r} is not {' or '.join(self.content)}"
        else:
            try:
                body = answer.json() if media_type.endswith("json") else answer.text
            except ValueError:
                yield "the body is no JSON"
            else:
                yield from _errors("body", self.content[media_type], body)


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

    def differences(self, answer: httpx.Response) -> list[str]:
        """Where the answer is not as described."""
        request = answer.request
        path, sent = request.url.path, request.url.raw_path.partition(b"?")[0]
        found = next((each for each, form in self._patterns.items() if form.fullmatch(path)), path)
        # Only a parameter may be escaped, and no path begins or ends within one.
        is_itself = "{" in found and not OTHER_THAN_IT_LOOKS.search(sent)
        path = found if is_itself or found.encode() == sent else sent.decode()
        method = "get" if request.method == "HEAD" else request.method.lower()
        key = (path, method, answer.status_code)
        if key not in self._expected:
            self._expected[key] = self._compile(*key)
        expected = self._expected[key]
        if expected is None:
            return [f"there is no such status; the body is {answer.text[:500]!r}"]
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
        return OAS31Validator({**schema, "components": self._components})


def _undescribed(path: str, methods: set[str], status: int) -> dict[str, Any] | None:
    """What the document says in words, of a path that is not there and a method that a path does not take."""
    if status not in (405 if methods else 404, 421):
        return None
    headers: dict[str, Any] = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}
    if status == 405:
        allowed = sorted(method.upper() for method in methods | ({"head"} if "get" in methods else set()))
        headers["Allow"] = {"required": True, "schema": {"const": ", ".join(allowed)}}
    if path in OAUTH_PATHS:
        return {
            "headers": headers,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OAuthError"}}},
        }
    code = {"properties": {"code": {"const": _UNDESCRIBED[status]}}}
    problem = {"allOf": [{"$ref": "#/components/schemas/Problem"}, code]}
    return {"headers": headers, "content": {"application/problem+json": {"schema": problem}}}


def _errors(where: str, validator: OAS31Validator, value: object) -> Iterator[str]:
    for error in validator.iter_errors(value):
        # A secret may be in what does not fit.
        yield f"{where} at {error.json_path}: it breaks {error.validator!r} of the schema"


# The URL is in the list of servers only, so that one document is every issuer's.
_DESCRIPTION = Description(document("https://issuer.example"))


def check(answer: httpx.Response) -> None:
    """Raises NotDescribed."""
    content = answer.read()
    if (answer.status_code, content) == BELOW_THE_APPLICATION:
        return
    differences = _DESCRIPTION.differences(answer)
    if differences:
        request = answer.request
        place = f"{request.method} {request.url.path[:200]} -> {answer.status_code}"
        raise NotDescribed("\n".join([f"{place} is not what the OpenAPI document says:", *differences]))


HOOKS = {"response": [check]}
"""For every `httpx.Client` that asks a live issuer."""
