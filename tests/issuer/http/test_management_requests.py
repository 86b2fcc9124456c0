"""Requests to the management API that are wrong in some way: each answer names what, and nothing breaks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.issuer.http.world import Key, World, made

ROLE = "org.tests.wrong"
PAST, FUTURE = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
HUGE_NUMBER = "9" * 5000

# method, path, JSON body, the field that the answer names
WRONG: list[tuple[str, str, Any, str]] = [
    ("POST", "/v1/roles", {}, "name"),
    ("POST", "/v1/roles", {"name": None}, "name"),
    ("POST", "/v1/roles", {"name": 7}, "name"),
    ("POST", "/v1/roles", {"name": ""}, "name"),
    ("POST", "/v1/roles", {"name": "has spaces.in.it"}, "name"),
    ("POST", "/v1/roles", {"name": "too.short"}, "name"),
    ("POST", "/v1/roles", {"name": "role:org.tests.prefixed"}, "name"),
    ("POST", "/v1/roles", {"name": "org.tests.zero\0"}, "name"),
    ("POST", "/v1/roles", {"name": "org.tests." + "x" * 300}, "name"),
    ("POST", "/v1/roles", {"name": "org.tests.x", "permission": "*"}, "permission"),
    ("POST", "/v1/roles", [], "body"),
    ("POST", "/v1/roles", "text", "body"),
    ("POST", f"/v1/roles/{ROLE}/policies", {"permission": "data:get"}, "permission"),
    ("POST", f"/v1/roles/{ROLE}/policies", {"permission": "data:get@"}, "permission"),
    ("POST", f"/v1/roles/{ROLE}/policies", {"permission": "DATA:get@*"}, "permission"),
    ("POST", f"/v1/roles/{ROLE}/policies", {"permission": "data:get@a data:get@b"}, "permission"),
    ("POST", f"/v1/roles/{ROLE}/policies", {"permission": "data:get@a\0"}, "permission"),
    ("POST", f"/v1/roles/{ROLE}/policies", {"permission": "*", "role": "x"}, "role"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"scope": "data:get"}, "scope"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"scope": "data:get@[x"}, "scope"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"scope": "data:get@a openid"}, "scope"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"scope": ""}, "scope"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"scope": "data:get@" + "a" * 9000}, "scope"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": PAST}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": "2100-01-01"}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": "2100-01-01T00:00:00"}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": "9999-12-31T23:59:59-10:00"}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": "0001-01-01T00:00:00+10:00"}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": "soon"}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": 1e300}, "expires_at"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"name": "x" * 201}, "name"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"name": "zero\0"}, "name"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"name": "two\nlines"}, "name"),
    ("POST", f"/v1/roles/{ROLE}/keys", {"expires_at": FUTURE, "expiry": FUTURE}, "expiry"),
    ("POST", f"/v1/roles/{ROLE}/keys/{{access}}/renew", {"grace_seconds": -1}, "grace_seconds"),
    ("POST", f"/v1/roles/{ROLE}/keys/{{access}}/renew", {"grace_seconds": 30 * 86400 + 1}, "grace_seconds"),
    ("POST", f"/v1/roles/{ROLE}/keys/{{access}}/renew", {"grace_seconds": "long"}, "grace_seconds"),
    ("POST", f"/v1/roles/{ROLE}/keys/{{access}}/renew", {"grace": 60}, "grace"),
    ("GET", "/v1/roles/has%20spaces", None, "role"),
    ("GET", "/v1/roles/org.tests.zero%00", None, "role"),
    ("GET", "/v1/roles/%FF%FE", None, "role"),
    ("DELETE", "/v1/roles/*", None, "role"),
    ("GET", "/v1/roles/too.short/keys", None, "role"),
    ("GET", "/v1/roles/user:admin/policies", None, "role"),
    ("DELETE", f"/v1/roles/{ROLE}/keys/hmk_%00", None, "access"),
    ("DELETE", f"/v1/roles/{ROLE}/policies/first", None, "policy"),
    ("DELETE", f"/v1/roles/{ROLE}/policies/-1", None, "policy"),
    ("DELETE", f"/v1/roles/{ROLE}/policies/{HUGE_NUMBER}", None, "policy"),
    ("GET", "/v1/roles?cursor=%00", None, "cursor"),
    ("GET", f"/v1/roles/{ROLE}/keys?cursor=%00", None, "cursor"),
    ("GET", f"/v1/roles/{ROLE}/policies?cursor=first", None, "cursor"),
    *(
        ("GET", f"/v1/roles{path}?limit={limit}", None, "limit")
        for path in ("", f"/{ROLE}/keys", f"/{ROLE}/policies")
        for limit in ("0", "201", "-1", "ten", "1.0", "", "%C2%B2", HUGE_NUMBER)
    ),
]


@pytest.fixture(scope="module")
def key(there: World) -> Key:
    made(there.admin.post("/v1/roles", json={"name": ROLE}))
    return there.key(ROLE)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[1][:40]} {str(wrong[2])[:40]}")
def test_a_wrong_field_is_named(there: World, key: Key, wrong: tuple[str, str, Any, str]) -> None:
    method, path, body, field = wrong
    answer = there.admin.request(method, path.format(access=key.access), json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_field"), problem
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["detail"].startswith(f"{field}: ")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_wrong_field_is_named_at_once(there: World) -> None:
    body = {"name": 7, "scope": 8, "expires_at": "soon", "unknown": 1}
    problem = there.admin.post(f"/v1/roles/{ROLE}/keys", json=body).json()
    assert {error["field"] for error in problem["errors"]} == set(body)


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"nul", b'{"name":', b"[" * 5000, b'{"name":"\\ud800"}', b'{"name":"a"}{}']
)
def test_what_is_no_json_is_said(there: World, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = there.admin.post("/v1/roles", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert "JSON" in answer.json()["detail"]


def test_another_content_type_is_answered_with_the_right_one(there: World) -> None:
    for sent in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = there.admin.post("/v1/roles", content=b"{}", headers={"Content-Type": sent})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert "application/json" in answer.json()["detail"]


def test_a_large_body_is_refused(there: World) -> None:
    answer = there.admin.post("/v1/roles", json={"name": "x" * 70_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "cut",
    [
        lambda key: key.text[:-1],
        lambda key: key.text[:-20],
        lambda key: f"{key.access}:",
        lambda key: f"{key.text}x",
        lambda key: key.text.swapcase(),
    ],
)
def test_a_cut_role_key_is_refused_with_a_hint(there: World, key: Key, cut: Any) -> None:
    access, _, secret = cut(key).partition(":")
    for answer in (
        there.nobody.get("/v1/me", headers={"Authorization": f"Bearer {cut(key)}"}),
        there.nobody.get("/v1/me", auth=httpx.BasicAuth(access, secret)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert "cut off" in answer.json()["detail"]
        assert key.secret[:-20] not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/token", {"GET", "POST"}),
        ("DELETE", "/v1/roles", {"GET", "POST"}),
        ("POST", "/v1/roles/org.tests.x", {"GET", "DELETE"}),
        ("POST", "/status/1", {"GET", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_there_is_answered_with_those_that_are(
    there: World, method: str, path: str, allowed: set[str]
) -> None:
    answer = there.admin.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v1%2Froles",
        "/v1/%72oles",
        "/v1/roles/org.a.b%2Fkeys",
        "/v1/roles/org.a.b%0a",
        "/v1/roles/",
        "/v1/token/",
        "/status/2",
        f"/status/{HUGE_NUMBER}",
        "/status/-1",
        "//v1/me",
    ],
)
def test_what_is_not_there_is_not_found_and_leads_nowhere_else(there: World, path: str) -> None:
    answer = there.admin.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/roles", '{"name": "org.tests.one", "name": "org.tests.two"}'),
        ("/v1/roles/{role}/policies", '{"permission": "data:get@a", "permission": "*"}'),
    ],
)
def test_a_member_that_is_there_twice_is_refused(there: World, path: str, body: str) -> None:
    role = there.role()
    json = {"Content-Type": "application/json"}
    answer = there.admin.post(path.format(role=role), content=body, headers=json)
    assert (answer.status_code, answer.json()["detail"]) == (422, "body: a member appears twice")
    assert there.admin.get("/v1/roles/org.tests.two").status_code == 404
    assert there.admin.get(f"/v1/roles/{role}/policies").json()["items"] == []
