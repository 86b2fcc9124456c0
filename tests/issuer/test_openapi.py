"""The OpenAPI document: valid, complete, and what the issuer really answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from issuer.api import OPERATIONS
from issuer.api.openapi import document
from issuer.api.openapi.pages import PAGES
from issuer.app import ROWS
from issuer.denials import OAUTH_NAMES, OAUTH_PATHS, STATUS
from tests.issuer.http.operations import ROWS as OPERATION_ROWS
from tests.issuer.http.operations import Row, target
from tests.issuer.http.world import World, bearer, open_world

ISSUER = "https://issuer.example"
PAGE_PATHS = {page.path for page in PAGES}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


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


def test_the_document_is_valid(served: dict[str, Any]) -> None:
    assert served["openapi"].startswith("3.1.")
    validate(served, cls=OpenAPIV31SpecValidator)


def test_what_is_served_is_the_document_of_this_issuer(world: World, served: dict[str, Any]) -> None:
    assert served == document(world.url)
    assert served["servers"] == [{"url": world.url}]
    assert document(ISSUER)["servers"] == [{"url": ISSUER}]


def test_every_route_is_described_and_nothing_else(served: dict[str, Any]) -> None:
    found = {(row.method, row.path) for row in ROWS}
    assert found == set(described(served))


def test_whatever_takes_a_permission_names_it_and_nothing_else_does(served: dict[str, Any]) -> None:
    permissions = {(operation.method, operation.path): operation.permission for operation in OPERATIONS}
    permissions["POST", "/v1/introspect"] = "token:introspect@AUDIENCE"
    permissions["GET", "/v1/forward-auth"] = "app:query@APP"
    named = {
        place: operation["x-permission"]
        for place, operation in described(served).items()
        if "x-permission" in operation
    }
    assert named == permissions


def test_every_operation_has_a_name_of_its_own_and_says_who_may_call_it(served: dict[str, Any]) -> None:
    operations = described(served)
    names = {operation["operationId"] for operation in operations.values()}
    assert len(names) == len(operations)
    used: set[str] = set()
    for place, operation in operations.items():
        assert operation["summary"], place
        used |= {scheme for requirement in operation["security"] for scheme in requirement}
    assert used == set(served["components"]["securitySchemes"])


def codes(operation: dict[str, Any]) -> set[str]:
    """All that it may be refused with."""
    return {
        code
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        for part in content["schema"].get("allOf", ())
        for member in ("code", "error")
        for code in part.get("properties", {}).get(member, {}).get("enum", ())
    }


def test_every_code_of_the_one_table_is_described_where_it_belongs(served: dict[str, Any]) -> None:
    operations = described(served)
    problems = {
        code for (_, path), each in operations.items() if path not in OAUTH_PATHS for code in codes(each)
    }
    oauth = {code for (_, path), each in operations.items() if path in OAUTH_PATHS for code in codes(each)}
    schemas = served["components"]["schemas"]
    assert set(schemas["Problem"]["properties"]["code"]["enum"]) == set(STATUS)
    assert oauth <= set(schemas["OAuthError"]["properties"]["error"]["enum"])
    assert not oauth & set(OAUTH_NAMES), "RFC 6749 has no such names"
    assert problems <= set(STATUS)
    # A method that a path does not take has no place in the document; RFC 8628 has a name for the other.
    assert problems | oauth == set(STATUS) - {"method_not_allowed", "polls_too_often"}


def test_a_status_is_described_once_with_the_codes_that_have_it(served: dict[str, Any]) -> None:
    for place, operation in described(served).items():
        if place[1] in OAUTH_PATHS:
            continue
        for status, answer in operation["responses"].items():
            problem = answer.get("content", {}).get("application/problem+json")
            for code in codes({"responses": {status: answer}}) if problem else ():
                assert STATUS[code] == int(status), (place, code)


def test_what_we_answer_has_no_undeclared_members(served: dict[str, Any]) -> None:
    objects = {
        name: schema
        for name, schema in served["components"]["schemas"].items()
        if schema.get("type") == "object" and name != "Document"
    }
    assert {name for name, schema in objects.items() if schema["additionalProperties"] is not False} == set()


@pytest.mark.parametrize("row", OPERATION_ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_operation_is_answered_as_described(world: World, served: dict[str, Any], row: Row) -> None:
    """What it answers is compared with the document, as everywhere (tests/recorded.py)."""
    aim = target(world)
    assert aim.send(world, row, "nobody").status_code == 401
    assert aim.send(world, row, world.issuer.admin_key).status_code == row.status
    if row.body:
        sent = aim.filled(row)
        operation = described(served)[row.method, row.path]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        validator = OAS31Validator(
            {**body, "components": served["components"]}, format_checker=oas31_format_checker
        )
        assert validator.is_valid(sent)
        assert not validator.is_valid({**sent, "unknown": 1})


PAGED = {"limit", "cursor"}
QUERIES = {
    "/v1/token": {"scope", "resource", "audience"},
    "/v1/registry/token": {"service", "scope", "account", "client_id", "offline_token"},
    "/v1/roles": {*PAGED, "prefix"},
    "/v1/roles/{role}/keys": {*PAGED, "created_by", "state"},
    "/v1/roles/{role}/policies": PAGED,
    "/v1/roles/{role}/trust": PAGED,
    "/v1/roles/{role}/members": PAGED,
    "/v1/users": {*PAGED, "prefix", "state"},
    "/v1/users/{user}/roles": PAGED,
    "/v1/users/{user}/sign-ins": PAGED,
    "/v1/users/{user}/keys": PAGED,
    "/v1/users/{user}/visits": PAGED,
    "/v1/apps": PAGED,
    "/v1/tokens": {*PAGED, "owner", "state"},
    "/v1/jobs": {*PAGED, "state"},
    "/v1/hygiene": {*PAGED, "finding"},
    "/v1/consents": {*PAGED, "user"},
    "/v1/audit": {*PAGED, "actor", "action", "target", "client_id", "since", "until"},
}
OTHER_QUERIES = {("DELETE", "/v1/consents/{consent}"): {"user"}}
VERSIONED = {
    ("GET", "/v1/roles/{role}"),
    ("DELETE", "/v1/roles/{role}"),
    ("GET", "/v1/roles/{role}/policies"),
    ("POST", "/v1/roles/{role}/policies"),
    ("DELETE", "/v1/roles/{role}/policies/{policy}"),
    ("GET", "/v1/users/{user}"),
    ("PATCH", "/v1/users/{user}"),
    ("POST", "/v1/users/{user}/disable"),
    ("POST", "/v1/users/{user}/enable"),
    ("DELETE", "/v1/users/{user}"),
    ("POST", "/v1/users/{user}/roles"),
    ("GET", "/v1/users/{user}/roles"),
    ("DELETE", "/v1/users/{user}/roles/{role}"),
    ("GET", "/v1/jobs/{job}"),
    ("PUT", "/v1/jobs/{job}/labels"),
    ("GET", "/v1/apps/{app}"),
    ("PATCH", "/v1/apps/{app}"),
    ("POST", "/v1/apps/{app}/secret"),
    ("DELETE", "/v1/apps/{app}"),
}
ENDED = {("DELETE", f"/v1/{noun}") for noun in ("roles/{role}", "users/{user}", "apps/{app}")}
"""What is gone has no version any more."""


def parameters(operation: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in operation["parameters"] if each["in"] == place}


def test_lists_say_how_they_are_paged_and_filtered(served: dict[str, Any]) -> None:
    for (method, path), operation in described(served).items():
        in_query = parameters(operation, "query")
        if path in PAGE_PATHS:
            continue
        known = QUERIES.get(path, set()) if method == "GET" else OTHER_QUERIES.get((method, path), set())
        assert set(in_query) == known, path
        for name, parameter in in_query.items():
            assert parameter["schema"]["type"] in ("string", "integer"), name
    keys = parameters(described(served)["GET", "/v1/roles/{role}/keys"], "query")
    assert keys["limit"]["schema"].items() >= {"minimum": 1, "maximum": 200}.items()
    assert keys["state"]["schema"]["enum"] == ["active", "expired"]
    audit = parameters(described(served)["GET", "/v1/audit"], "query")
    assert audit["since"]["schema"]["format"] == "date-time"


def test_what_has_versions_says_so(served: dict[str, Any]) -> None:
    for place, operation in described(served).items():
        if place[1] in PAGE_PATHS:
            continue
        named = set(parameters(operation, "header"))
        if place in VERSIONED:
            assert named == {"If-Match", "If-None-Match"}, place
            assert "412" in operation["responses"]
        done: dict[str, Any] = next(
            (answer for status, answer in operation["responses"].items() if status < "300"), {}
        )
        etag = done.get("headers", {}).get("ETag")
        has_etag = place in VERSIONED - ENDED or place in {
            ("POST", "/v1/roles"),
            ("POST", "/v1/users"),
            ("POST", "/v1/apps"),
            ("GET", "/.well-known/jwks.json"),
            ("GET", "/status/{number}"),
        }
        assert (etag is not None) == has_etag, place
        assert ("304" in operation["responses"]) == (has_etag and place[0] == "GET"), place


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/token", 401),
        ("POST", "/v1/introspect", 401),
        ("POST", "/v1/revoke", 401),
        ("GET", "/v1/token", 401),
        ("GET", "/v1/me", 401),
        ("GET", "/.well-known/openid-configuration", 200),
        ("GET", "/.well-known/oauth-authorization-server", 200),
        ("GET", "/.well-known/jwks.json", 200),
        ("GET", "/status/1", 200),
        ("GET", "/status/2", 404),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("GET", "/v1/openapi.json", 200),
    ],
)
def test_every_endpoint_is_answered_as_described(world: World, method: str, path: str, status: int) -> None:
    data = {"grant_type": "client_credentials"} if method == "POST" else None
    assert world.nobody.request(method, path, data=data).status_code == status


def test_every_grown_answer_of_an_endpoint_is_as_described(world: World) -> None:
    key = world.holder("data:get@*", "token:introspect@*")
    token = world.token(key)
    for credential in (key.text, token):
        assert world.nobody.get("/v1/me", headers=bearer(credential)).status_code == 200
    for seen, is_active in ((token, True), ("nothing", False)):
        told = world.nobody.post("/v1/introspect", auth=key.basic, data={"token": seen})
        assert told.json()["active"] is is_active
    assert world.nobody.post("/v1/revoke", auth=key.basic, data={"token": token}).status_code == 200


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_keys_of_every_algorithm_are_as_described(tmp_path: Path, algorithm: str) -> None:
    with open_world(tmp_path, HOURMARKD_ALGORITHM=algorithm) as other:
        (first, *_) = other.nobody.get("/.well-known/jwks.json").json()["keys"]
    assert first["alg"] == algorithm
