"""What a route asks of a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from tests.verifier import forge
from tests.verifier.small_world import REQUESTS, scopes
from verifier import InsufficientScope, Scope, Token
from verifier.authentication import Refused, Requirement, refusal
from verifier.labels import InvalidLabel


def of(scope: str) -> Token:
    return Token.from_claims(forge.claims(scope=scope))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("data", "x"),
        ("data:*", "x"),
        ("data:get ", "x"),
        ("data:get", ""),
        ("data:get", "x*"),
        ("data:get", "x[a=b]"),
        ("data:get", "{}"),
        ("data:get", "{0}"),
        ("data:get", "{name.secret}"),
        ("data:get", "{name!r}"),
        ("data:get", "a b"),
    ],
)
def test_what_no_token_could_allow_is_refused_at_the_start(action: str, resource: str) -> None:
    with pytest.raises(ValueError, match="write noun:verb"):
        Requirement(action, resource)


@pytest.mark.parametrize(
    ("resource", "parameters", "allowed"),
    [
        ("*", {}, "data:get@*"),
        ("urn:data:{name}", {"name": "x"}, "data:get@urn:data:x"),
        ("{org}/{name}", {"org": "o", "name": 7}, "data:get@o/7"),
        ("x", {"x": "y"}, "data:get@x"),
    ],
)
def test_parameters_of_the_route_stand_in_the_name(
    resource: str, parameters: Mapping[str, object], allowed: str
) -> None:
    token = of(allowed)
    assert Requirement("data:get", resource).check(token, parameters) is token
    with pytest.raises(Refused) as refused:
        Requirement("data:get", resource).check(of("data:put@*"), parameters)
    assert isinstance(refused.value.error, InsufficientScope)
    assert refused.value.error.permission == allowed


@pytest.mark.parametrize("name", ["x*", "x[a=b]", "", "a b", "{name}", "x,y", "x@y", "\u00e9", "*"])
def test_a_parameter_that_is_no_name_is_in_nobodys_reach(name: str) -> None:
    with pytest.raises(Refused):
        Requirement("data:get", "{name}").check(of("data:get@x* data:get@a*"), {"name": name})


def test_a_parameter_that_means_all_needs_all() -> None:
    """Whoever writes "*" into a path gets what whoever may have all of them gets, and nobody else does."""
    Requirement("data:get", "{name}").check(of("data:get@*"), {"name": "*"})
    with pytest.raises(Refused):
        Requirement("data:get", "urn:{name}").check(of("*"), {"name": "*"})


@given(scopes)
def test_it_allows_what_the_token_allows(scope: Scope) -> None:
    token = of(str(scope))
    for action, resource, _ in REQUESTS:
        requirement = Requirement(action, "{resource}" if resource != "*" else "*")
        try:
            requirement.check(token, {"resource": resource})
        except Refused:
            assert not scope.covers(action, resource)
        else:
            assert scope.covers(action, resource)


def test_without_a_token_nothing_is_insufficient() -> None:
    with pytest.raises(Refused, match="no credential") as refused:
        Requirement("data:get").check(None, {})
    assert refused.value.error is None


def test_a_route_without_that_parameter_is_a_fault_of_the_service() -> None:
    parameters: dict[str, Any] = {}
    with pytest.raises(KeyError):
        Requirement("data:get", "{name}").check(of("*"), parameters)


def test_a_wrong_label_is_a_bad_request_and_not_the_tokens_fault() -> None:
    body, headers = refusal(InvalidLabel("'x y' is none")).problem()
    assert json.loads(body) == {
        "type": "urn:hourmark:error:invalid_label",
        "title": "Bad Request",
        "status": 400,
        "detail": "'x y' is none",
        "code": "invalid_label",
    }
    assert headers == {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
