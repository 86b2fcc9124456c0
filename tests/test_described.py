"""The comparison of answers with the OpenAPI document sees every kind of difference."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest

from tests.described import BELOW_THE_APPLICATION, HOOKS, NotDescribed, check
from tests.journeys.proxy import serve_proxy
from tests.verifier.issuer_double import JWKS, IssuerDouble

ROLE = {"name": "org.tests.x", "created_at": "2026-11-25T08:00:00Z", "created_by": "hmk_0123456789abcdef"}
GOOD = {"X-Request-Id": "abcdef-1", "Cache-Control": "no-store", "ETag": '"1"'}
PROBLEM = {
    "type": "urn:hourmark:error:not_found",
    "title": "Not Found",
    "status": 404,
    "detail": "there is none",
    "code": "not_found",
    "request_id": "abcdef-1",
}
AS_PROBLEM = {**GOOD, "Content-Type": "application/problem+json"}
PATH = "/v1/roles/org.tests.x"


def answer(
    status: int = 200,
    json: Any = ROLE,
    *,
    method: str = "GET",
    path: str = PATH,
    headers: dict[str, str] = GOOD,
    **content: Any,
) -> httpx.Response:
    request = httpx.Request(method, f"http://issuer{path}")
    body = content or {"json": json}
    return httpx.Response(status, headers=headers, request=request, **body)


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
    ),
    "what is not there": answer(404, PROBLEM, path="/nothing", headers=AS_PROBLEM),
    "a method that is not there": answer(
        405,
        {**PROBLEM, "status": 405, "code": "method_not_allowed"},
        method="PUT",
        headers={**AS_PROBLEM, "Allow": "DELETE, GET, HEAD"},
    ),
    "the server's own answer": answer(BELOW_THE_APPLICATION[0], content=BELOW_THE_APPLICATION[1]),
}
DIFFERENT = {
    "another status": (answer(204, content=b""), "no such status"),
    "a status of another method": (answer(201), "no such status"),
    "a member too few": (answer(json={"name": "org.tests.x"}), "'required'"),
    "a member too many": (answer(json={**ROLE, "secret": "x"}), "'additionalProperties'"),
    "a member of another type": (answer(json={**ROLE, "name": 7}), "$.name"),
    "another media type": (answer(headers={**GOOD, "Content-Type": "text/html"}), "media type 'text/html'"),
    "no media type": (answer(content=b"{}"), "media type ''"),
    "no JSON": (answer(content=b"{", headers={**GOOD, "Content-Type": "application/json"}), "no JSON"),
    "a body where none is": (answer(304, content=b"{}"), "it has a body"),
    "a missing header": (answer(headers={"X-Request-Id": "abcdef-1", "ETag": '"1"'}), "Cache-Control"),
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
    "another text than the server's own": (answer(400, content=b"Bad"), "media type"),
}


@pytest.mark.parametrize("fitting", FITTING.values(), ids=FITTING.keys())
def test_what_fits(fitting: httpx.Response) -> None:
    check(fitting)


@pytest.mark.parametrize(("different", "said"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_what_differs(different: httpx.Response, said: str) -> None:
    with pytest.raises(NotDescribed) as caught:
        check(different)
    assert said in str(caught.value)
    request = different.request
    assert f"{request.method} {request.url.path} -> {different.status_code}" in str(caught.value)


def test_a_secret_in_what_differs_is_not_told() -> None:
    with pytest.raises(NotDescribed) as caught:
        check(answer(json={**ROLE, "name": ["a-secret"], "secret": "a-secret"}))
    assert "a-secret" not in str(caught.value)


def test_the_request_that_was_answered_so_raises_it() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    with httpx.Client(base_url="http://issuer", transport=transport, event_hooks=HOOKS) as client:
        for ask in (client.get, client.delete, client.head):
            with pytest.raises(NotDescribed):
                ask(PATH)


def test_what_a_proxy_passed_on_raises_it_when_the_proxy_ends() -> None:
    with IssuerDouble() as issuer, ExitStack() as stack:
        proxy = stack.enter_context(serve_proxy(passes_preferences=True))
        proxy.lead_to(issuer.url)
        with httpx.Client(event_hooks=HOOKS) as client, suppress(httpx.RemoteProtocolError):
            client.get(proxy.url + JWKS)
        with pytest.raises(NotDescribed):
            stack.close()
