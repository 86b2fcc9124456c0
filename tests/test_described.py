"""The comparison of answers with the OpenAPI document sees every kind of difference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.described import Answer, differences

ROLE = {"name": "org.tests.x", "created_at": "2026-11-25T08:00:00Z", "created_by": "hmk_0123456789abcdef"}
PLAIN = {"X-Request-Id": "abcdef-1", "Cache-Control": "no-store", "Content-Type": "application/json"}
GOOD = {**PLAIN, "ETag": '"1"'}
NO_TYPE = {name: value for name, value in GOOD.items() if name != "Content-Type"}
PROBLEM = {
    "type": "urn:hourmark:error:not_found",
    "title": "Not Found",
    "status": 404,
    "detail": "there is none",
    "code": "not_found",
    "request_id": "abcdef-1",
}
AS_PROBLEM = {**PLAIN, "Content-Type": "application/problem+json"}
PATH = "/v1/roles/org.tests.x"


def answer(
    status: int = 200,
    content: Any = ROLE,
    *,
    method: str = "GET",
    path: str = PATH,
    headers: dict[str, str] = GOOD,
) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.lower(): value for name, value in headers.items()}
    return Answer(method, path, path, status, named, body)


FITTING = {
    "a role": answer(),
    "unchanged": answer(304, content=b""),
    "a head": answer(method="HEAD", content=b""),
    "a problem": answer(404, PROBLEM, headers=AS_PROBLEM),
    "an OAuth error": answer(
        400,
        {"error": "invalid_request", "error_description": "grant_type is missing"},
        method="POST",
        path="/v1/token",
        headers=PLAIN,
    ),
    "what is not there": answer(404, PROBLEM, path="/nothing", headers=AS_PROBLEM),
    "a method that is not there": answer(
        405,
        {**PROBLEM, "status": 405, "code": "method_not_allowed"},
        method="PUT",
        headers={**AS_PROBLEM, "Allow": "DELETE, GET, HEAD"},
    ),
}
DIFFERENT = {
    "another status": (answer(204, content=b""), "no such status"),
    "a status of another method": (answer(201), "no such status"),
    "a member too few": (answer(content={"name": "org.tests.x"}), "'required'"),
    "a member too many": (answer(content={**ROLE, "secret": "x"}), "'additionalProperties'"),
    "a member of another type": (answer(content={**ROLE, "name": 7}), "$.name"),
    "another media type": (answer(headers={**GOOD, "Content-Type": "text/html"}), "media type 'text/html'"),
    "no media type": (answer(headers=NO_TYPE), "media type ''"),
    "no JSON": (answer(content=b"{"), "cannot be read"),
    "a body where none is": (answer(304, content=b"{}"), "it has a body"),
    "a missing header": (
        answer(headers={name: value for name, value in GOOD.items() if name != "Cache-Control"}),
        "Cache-Control",
    ),
    "a header too many": (answer(headers={**GOOD, "Set-Cookie": "a=b"}), "header set-cookie"),
    "a time of another form": (answer(content={**ROLE, "created_at": "yesterday"}), "'format'"),
    "a header of another form": (answer(headers={**GOOD, "ETag": "1"}), "header ETag"),
    "a missing header of a HEAD": (answer(method="HEAD", headers={}, content=b""), "X-Request-Id"),
    "a code of another operation": (
        answer(409, {**PROBLEM, "status": 409, "code": "conflict"}, headers=AS_PROBLEM),
        "no such status",
    ),
    "a code of another status": (answer(404, {**PROBLEM, "code": "conflict"}, headers=AS_PROBLEM), "$.code"),
    "a problem with another status inside": (
        answer(404, {**PROBLEM, "status": 400}, headers=AS_PROBLEM),
        "$.status",
    ),
    "a refusal without its header": (
        answer(401, {**PROBLEM, "status": 401, "code": "invalid_token"}, headers=AS_PROBLEM),
        "WWW-Authenticate",
    ),
    "a problem where OAuth is spoken": (
        answer(400, PROBLEM, method="POST", path="/v1/token", headers=AS_PROBLEM),
        "media type",
    ),
    "a page where nothing is": (answer(path="/nothing"), "no such status"),
    "something for a method that is not there": (answer(method="PUT"), "no such status"),
    "another list of methods": (
        answer(
            405,
            {**PROBLEM, "status": 405, "code": "method_not_allowed"},
            method="PUT",
            headers={**AS_PROBLEM, "Allow": "GET"},
        ),
        "header Allow",
    ),
    "what the server says when we do not": (
        answer(500, b"Internal Server Error", headers={"Content-Type": "text/plain; charset=utf-8"}),
        "X-Request-Id is missing",
    ),
}


@pytest.mark.parametrize("fitting", FITTING.values(), ids=FITTING.keys())
def test_what_fits(fitting: Answer) -> None:
    assert differences(fitting) == []


@pytest.mark.parametrize(("different", "said"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_what_differs(different: Answer, said: str) -> None:
    assert said in "; ".join(differences(different))


def test_a_secret_in_what_differs_is_not_told() -> None:
    different = answer(content={**ROLE, "name": ["a-secret"], "secret": "a-secret"})
    told = [str(different), repr(different), *differences(different)]
    assert len(told) > 3
    assert "a-secret" not in "".join(told)
