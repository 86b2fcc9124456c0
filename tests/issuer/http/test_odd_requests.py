"""Every route with odd requests: each is refused in its words or served, never with a fault of the server.

What is answered is compared with the OpenAPI document, as everywhere (tests/recorded.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from issuer.api.openapi import document
from tests.issuer.http.sockets import last_answer, raw_answer
from tests.issuer.http.world import World

PATHS: dict[str, Any] = document("https://issuer.example")["paths"]
ROUTES = sorted(
    (method.upper(), path) for path, item in PATHS.items() for method in item if method != "parameters"
)
GETS = sorted(path for path, item in PATHS.items() if "get" in item)
REAL = {
    "role": "org.tests.odd",
    "access": "hmk_0123456789abcdef",
    "policy": "1",
    "trust": "trust_0000000000000000",
    "number": "1",
    "user": "odd",
    "app": "odd",
    "provider": "odd",
    "version": "0123456789abcdef",
    "consent": "1",
    "job": "job_0123456789abcdef",
    "id": "hmk_0123456789abcdef",
    "sign_in": "1",
    "visit": "1",
}

ODD_SEGMENTS = [
    "%00",
    "%00%00org.tests.odd",
    "org.tests.odd%00",
    "%FF%FE",
    "%ED%A0%80",
    "%F0%9F%94%91",
    "%0D%0AX-Injected:%201",
    "..%2F..%2Fetc",
    "%2E%2E",
    "a" * 5000,
    "9" * 5000,
    "-1",
    "2147483648",
    "%D9%A3",
    "'%20OR%201=1--",
    "%25s%25n",
    "{role}",
    "*",
]
ODD_QUERIES = [
    "%00=%00",
    "=",
    "&&&",
    "limit=%00",
    "limit=99999999999999999999",
    "cursor=%00",
    "cursor=%ED%A0%80",
    "cursor=" + "a" * 5000,
    "cursor=" + "9" * 5000,
    "since=0001-01-01T00:00:00Z",
    "until=9999-12-31T23:59:59Z",
    "since=9999-12-31T23:59:59%2B23:59",
    "target=%FF",
    "actor='",
    "prefix=%25",
    "prefix=_",
    "created_by=%F0%9F%94%91",
    "&".join(f"a{number}=1" for number in range(2000)),
    "access_token=x",
]
ODD_HEADERS = [
    [("If-Match", b"\xff")],
    [("If-Match", b'"\xff"'), ("If-None-Match", b'"\xff"')],
    [("If-None-Match", b",".join([b'"x"'] * 5000))],
    [("Prefer", b"wait=\xb2")],
    [("X-Request-Id", b"\xff" * 100)],
    [("Accept", b"text/html;q=x")],
    [("Range", b"bytes=0-1")],
    [("Cookie", b"; ".join([b"a=b"] * 1000))],
    [("X-HTTP-Method-Override", b"DELETE")],
    [("Content-Type", b"\xff")],
    [("Authorization", b"")],
    [("Authorization", b"Basic")],
    [("Authorization", b"Basic \xff")],
    [("Authorization", b"Basic Og==")],
    [("Authorization", b"Bearer \xff:\xff")],
    [("Authorization", b"Bearer a.b.c")],
    [("Authorization", b"Bearer " + b"a" * 20_000)],
    [("Authorization", b"Negotiate x")],
]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ODD_BODIES = [
    (JSON, b""),
    (JSON, b"\x00"),
    (JSON, b"\xef\xbb\xbf{}"),
    (JSON, b"null"),
    (JSON, b"[" * 10_000),
    (JSON, b'{"a":' * 10_000),
    (JSON, b'{"name":NaN,"permission":1e999,"scope":[],"expires_at":{}}'),
    (JSON, b'{"name":"a","name":"org.tests.odd-2"}'),
    (JSON, b'{"name":"\\u0000","permission":"\\u0000","scope":"\\u0000","expires_at":"\\u0000"}'),
    (JSON, b'{"grace_seconds":1e400}'),
    (JSON, b'{"grace_seconds":' + b"9" * 5000 + b"}"),
    (JSON, b'{"permission":"' + b"[" * 5000 + b'"}'),
    (JSON, b'{"scope":"' + b"a:b@c " * 5000 + b'"}'),
    (JSON, b'{"expires_at":"9999-12-31T23:59:59-23:59"}'),
    (JSON, b"{" + b" " * 70_000 + b"}"),
    ("application/json; charset=utf-16", b"{}"),
    (FORM, b"%"),
    (FORM, b"&&&"),
    (FORM, b"grant_type=client_credentials&grant_type=x"),
    (FORM, b"grant_type=client_credentials&client_id=%00&client_secret=%00"),
    (FORM, b"token=" + b"a" * 60_000),
    (FORM, b"token=%FF"),
    (FORM, "token=ü".encode("latin-1")),
    (FORM, b"&".join(b"a%d=1" % number for number in range(200))),
    ("multipart/form-data; boundary=x", b"--x\r\n"),
    ("text/plain", b"x"),
]


def filled(path: str, values: Mapping[str, str] = REAL) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], path)


def odd_paths(path: str) -> Iterator[str]:
    for name in re.findall(r"\{(\w+)\}", path):
        for segment in ODD_SEGMENTS:
            yield filled(path, {**REAL, name: segment})


def with_paths(path: str) -> Iterator[dict[str, Any]]:
    yield from ({"url": odd} for odd in odd_paths(path))


def with_queries(path: str) -> Iterator[dict[str, Any]]:
    yield from ({"url": f"{filled(path)}?{query}"} for query in ODD_QUERIES)


def with_headers(path: str) -> Iterator[dict[str, Any]]:
    for headers in ODD_HEADERS:
        yield {
            "url": filled(path),
            "headers": httpx.Headers([(name.encode(), value) for name, value in headers]),
        }


def with_bodies(path: str) -> Iterator[dict[str, Any]]:
    for media_type, content in ODD_BODIES:
        yield {"url": filled(path), "headers": {"Content-Type": media_type}, "content": content}


@pytest.mark.parametrize("oddities", [with_paths, with_queries, with_headers, with_bodies])
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_no_oddity_is_a_fault(
    there: World, method: str, path: str, oddities: Callable[[str], Iterator[dict[str, Any]]]
) -> None:
    for odd in oddities(path):
        answer = there.admin.request(method, **odd)
        assert answer.status_code < 500, f"{str(odd)[:200]}: {answer.text[:500]}"
        assert "x-injected" not in answer.headers
    assert there.admin.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_path_takes_its_methods_and_names_them(world: World, path: str) -> None:
    described = {method.upper() for method in PATHS[path]}
    allowed = described | ({"HEAD"} if "GET" in described else set())
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
        answer = world.admin.request(method, filled(path))
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == allowed


LONG = "x" * 300_000


@pytest.mark.parametrize(
    "where", [f"?a={LONG} HTTP/1.1\r\n", f" HTTP/1.1\r\nX-Long: {LONG}\r\n"], ids=["query", "header"]
)
@pytest.mark.parametrize(
    ("request_line", "says"),
    [
        ("GET /v1/me", '"code":"head_too_large"'),
        ("POST /v1/token", '{"error":"invalid_request","error_description":'),
        ("GET /v1/registry/token", '{"errors":[{"code":"UNSUPPORTED","message":'),
        ("POST /v1/registry/token", '{"errors":[{"code":"UNSUPPORTED","message":'),
        ("GET /v1/forward-auth", '"code":"head_too_large"'),
        ("GET /roles", '"code":"head_too_large"'),
        ("GET /no/such", '"code":"head_too_large"'),
    ],
)
def test_a_head_that_is_too_long_is_refused_in_the_words_of_the_path(
    world: World, request_line: str, says: str, where: str
) -> None:
    """And its client reads that, though it sent everything before."""
    head, _, body = last_answer(world.url, f"{request_line}{where}Host: localhost\r\n\r\n").partition(
        "\r\n\r\n"
    )
    assert head.startswith("HTTP/1.1 431 ")
    assert "\r\nconnection: close" in head.lower()
    assert says in body
    assert "longer than 65536 bytes" in body


@pytest.mark.parametrize("path", sorted(PATHS))
@pytest.mark.parametrize("change", ["{}/", "/{}", "{}//", "{}%2F", "{};x=1"])
def test_a_path_with_a_slash_more_is_another_one(world: World, path: str, change: str) -> None:
    # httpx takes "//x" for a host.
    credential = world.admin.headers["authorization"]
    head = f"Host: localhost\r\nAuthorization: {credential}\r\nConnection: close\r\n\r\n"
    answer = raw_answer(world.url, f"GET {change.format(filled(path))} HTTP/1.1\r\n{head}")
    # A name may hold a semicolon, as far as a path is concerned; and at a page one signs in first.
    folder, depth = path.rpartition("/")[0], path.count("/")
    is_name = any(each.startswith(f"{folder}/{{") and each.count("/") == depth for each in PATHS)
    another = (404, 405, 422) if path.startswith("/v1/") else (303, 404, 405, 422)
    known = another if change == "{};x=1" and is_name else (404,)
    assert int(answer.split(" ")[1]) in known


@pytest.mark.parametrize("path", GETS)
def test_a_head_is_a_get_without_its_body(world: World, path: str) -> None:
    world.admin.post("/v1/roles", json={"name": REAL["role"]})
    get, head = (world.admin.request(method, filled(path)) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("content-type", "cache-control", "content-length"):
        if path not in ("/v1/audit", "/v1/audit/chain", "/v1/roles"):  # they grow meanwhile
            assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("request_line", ["nonsense", "GET", "GET / HTTP/9.9", "FETCH / HTTP/1.1"])
def test_what_is_no_http_is_answered_below_the_application(world: World, request_line: str) -> None:
    """It is the one answer that is not compared with the document, which knows nothing below HTTP."""
    answer = raw_answer(world.url, f"{request_line}\r\nHost: localhost\r\n\r\n")
    head, _, body = answer.partition("\r\n\r\n")
    assert (int(head.split(" ")[1]), body) == (400, "Invalid HTTP request received.")
