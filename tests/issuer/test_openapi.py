"""The OpenAPI document: valid, complete, and what the issuer really answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from issuer.api import OPERATIONS
from issuer.api.openapi import document
from issuer.app import ROWS
from tests.issuer.http.operations import ROWS as OPERATION_ROWS
from tests.issuer.http.operations import Row, target
from tests.issuer.http.world import World, open_world

ISSUER = "https://issuer.example"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("openapi")) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(world: World) -> dict[str, Any]:
    return dict(world.nobody.get("/v1/openapi.json").json())


def described(spec: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Operation by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if method.upper() in METHODS
    }


def errors(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Where `value` is not what `schema` says."""
    validator = OAS31Validator({**schema, "components": spec["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def schema_of(described_answer: dict[str, Any], answer: httpx.Response) -> dict[str, Any]:
    media_type = answer.headers["content-type"].partition(";")[0]
    return dict(described_answer["content"][media_type]["schema"])


def test_the_document_is_valid(served: dict[str, Any]) -> None:
    assert served["openapi"].startswith("3.1.")
    validate(served, cls=OpenAPIV31SpecValidator)


def test_what_is_served_is_the_document_of_this_issuer(world: World, served: dict[str, Any]) -> None:
    assert served == document(world.url)
    assert served["servers"] == [{"url": world.url}]
    assert document(ISSUER)["servers"] == [{"url": ISSUER}]


def test_every_route_is_described_and_nothing_else(served: dict[str, Any]) -> None:
    found = {(row.method, row.path) for row in ROWS if row.method in METHODS}
    assert found == set(described(served))


def test_every_management_operation_names_its_permission_and_nothing_else_does(
    served: dict[str, Any],
) -> None:
    permissions = {(operation.method, operation.path): operation.permission for operation in OPERATIONS}
    named = {
        place: operation["x-permission"]
        for place, operation in described(served).items()
        if "x-permission" in operation
    }
    assert named == permissions


def test_every_operation_says_who_may_call_it_how_it_refuses_and_has_a_name_of_its_own(
    served: dict[str, Any],
) -> None:
    operations = described(served)
    for place, operation in operations.items():
        assert operation["summary"], place
        assert "default" in operation["responses"], place
        assert "security" in operation, place
    names = [operation["operationId"] for operation in operations.values() if "operationId" in operation]
    assert len(names) == len(set(names))
    used = {
        scheme
        for operation in operations.values()
        for requirement in operation["security"]
        for scheme in requirement
    }
    assert used == set(served["components"]["securitySchemes"])


@pytest.mark.parametrize("row", OPERATION_ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_answers_are_what_the_document_says(world: World, served: dict[str, Any], row: Row) -> None:
    operation = described(served)[row.method, row.path]
    aim = target(world)
    refused = aim.send(world, row, "nobody")
    problem = schema_of(operation["responses"]["default"], refused)
    assert errors(served, problem, refused.json()) == []
    assert errors(served, problem, {}) != []

    if row.body:
        sent = {name: aim.fill(value) for name, value in row.body.items()}
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert errors(served, body, sent) == []
        assert errors(served, body, {**sent, "unknown": 1}) != []

    answer = aim.send(world, row, world.issuer.admin_key)
    done = operation["responses"][str(answer.status_code)]
    assert (answer.status_code, errors(served, schema_of(done, answer), answer.json())) == (row.status, [])


def test_lists_say_how_they_are_paged(served: dict[str, Any]) -> None:
    for (method, path), operation in described(served).items():
        in_query = {
            parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"
        }
        is_list = method == "GET" and (path == "/v1/roles" or path.endswith(("/keys", "/policies")))
        assert in_query == ({"limit", "cursor"} if is_list else set()), path


@pytest.mark.parametrize("path", ["/v1/token", "/v1/introspect", "/v1/revoke"])
def test_oauth_refusals_are_what_the_document_says(world: World, served: dict[str, Any], path: str) -> None:
    operation = described(served)["POST", path]
    answer = world.nobody.post(path, data={"grant_type": "client_credentials"})
    assert answer.status_code == 401
    schema = schema_of(operation["responses"]["default"], answer)
    assert errors(served, schema, answer.json()) == []
    form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert set(form["properties"]) <= {
        "grant_type",
        "scope",
        "resource",
        "audience",
        "token",
        "token_type_hint",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/livez",
        "/readyz",
        "/status/1",
        "/v1/me",
    ],
)
def test_media_types_are_what_the_document_says(world: World, served: dict[str, Any], path: str) -> None:
    place = ("GET", path.replace("/status/1", "/status/{number}"))
    (media_type,) = described(served)[place]["responses"]["200"]["content"]
    answer = world.admin.get(path)
    assert answer.headers["content-type"].partition(";")[0] == media_type
