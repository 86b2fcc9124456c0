"""What the log says of a request: enough to find it again, and nothing that opens anything."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from pathlib import Path

import httpx
import jwt
import pytest

from keys import RoleKey
from tests.issuer.http.world import Key, World, bearer, open_world, until

GRANT = {"grant_type": "client_credentials"}


def test_a_token_request_leaves_one_line_that_names_its_token(world: World) -> None:
    key = world.holder("data:get@*")
    answer = world.exchange(key)
    line = world.line(answer)
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert {name: line[name] for name in ("method", "route", "status", "source", "level")} == {
        "method": "POST",
        "route": "/v1/token",
        "status": 200,
        "source": "127.0.0.1",
        "level": "info",
    }
    assert {name: line[name] for name in ("jti", "client_id", "sub", "scope")} == {
        name: claims[name] for name in ("jti", "client_id", "sub", "scope")
    }
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
    assert line["milliseconds"] >= 0


def test_a_management_request_names_its_caller_and_its_route_without_the_values(world: World) -> None:
    key = world.holder("role:get@*")
    token = world.for_issuer(key)
    jti = jwt.decode(token, options={"verify_signature": False})["jti"]
    for headers in (key.bearer, bearer(token)):
        line = world.line(world.nobody.get(f"/v1/roles/{key.role}/policies?limit=77", headers=headers))
        assert (line["route"], line["status"]) == ("/v1/roles/{role}/policies", 200)
        assert (line["client_id"], line["sub"]) == (key.access, f"role:{key.role}")
        assert line.get("jti") == (jti if headers != key.bearer else None)


@pytest.mark.parametrize(
    ("path", "status", "route", "refused"),
    [
        ("/v1/roles", 401, "/v1/roles", "invalid_token"),
        ("/nothing", 404, None, "not_found"),
        ("/status/7", 404, "/status/{number}", "not_found"),
    ],
)
def test_a_refusal_is_named(world: World, path: str, status: int, route: str | None, refused: str) -> None:
    line = world.line(world.nobody.get(path))
    assert (line["status"], line["route"], line["refused"]) == (status, route, refused)


def test_the_exact_verdict_on_a_token_is_in_the_log(world: World) -> None:
    token = world.token(world.holder("role:get@*"))
    line = world.line(world.nobody.get("/v1/roles", headers=bearer(token)))
    assert line["refused"] == "wrong_audience"


@pytest.mark.parametrize("given", ["12345678", "0123abCD" * 8, "5f0c6c8e-3b1f-4a52-9d49-1f7fd3a4c111"])
def test_a_sane_request_id_is_kept(world: World, given: str) -> None:
    answer = world.nobody.get("/v1/roles", headers={"X-Request-Id": given})
    assert answer.headers.get_list("x-request-id") == [given]
    assert answer.json()["request_id"] == given


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"short",
        b"x" * 65,
        b"has space",
        b"sEcretsEcret",
        b'quote"quote',
        b"{json: 1}",
        b"caf\xe9caf\xe9",
        b"a:secret1",
    ],
)
def test_any_other_request_id_is_replaced(world: World, given: bytes) -> None:
    answer = world.nobody.get("/v1/roles", headers=httpx.Headers([(b"X-Request-Id", given)]))
    (kept,) = answer.headers.get_list("x-request-id")
    assert kept != given.decode("latin-1")
    assert kept.isalnum()
    assert world.line(answer)["request_id"] == kept


def test_health_checks_leave_no_lines(world: World) -> None:
    for path in ("/livez", "/readyz"):
        answer = world.nobody.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-request-id"]
    world.line(world.nobody.get("/nothing"))
    assert not {"/livez", "/readyz"} & {line.get("route") for line in world.issuer.lines()}


def test_no_secret_is_ever_logged_wherever_it_is_put(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        key = world.holder("data:get@*", "token:introspect@*", "role:get@*", "role-key:create@*")
        stranger = RoleKey.generate()
        tokens = [world.token(key), world.for_issuer(key)]
        fresh = world.admin.post(f"/v1/roles/{key.role}/keys", json={}).json()
        renewed = world.admin.post(f"/v1/roles/{key.role}/keys/{fresh['access']}/renew", json={}).json()
        secrets = [key.secret, stranger.secret, fresh["secret"], renewed["secret"]]
        secrets += [world.issuer.admin_key.partition(":")[2]]
        basics = [b64encode(text.encode()).decode() for text in (key.text, stranger.reveal())]
        signatures = [token.rpartition(".")[2] for token in tokens]

        shown = [key.text, *secrets, basics[0], tokens[1]]
        last = [answer for value in shown for answer in everywhere(world, key, value)][-1]
        world.line(last)

        log = world.issuer.log.read_text()
        for value in [*secrets, *basics, *signatures, *tokens]:
            assert value not in log
            assert value[:-8] not in log
        assert len(world.issuer.lines()) > len(shown) * 10
        until(lambda: all(line["event"] == "request" for line in world.issuer.lines()))


def everywhere(world: World, key: Key, value: str) -> list[httpx.Response]:
    """Requests, good and bad, with `value` in path, query, header and body."""
    client = world.nobody
    schemes = ("Bearer", "Basic", "bearer", "Token", "DPoP")
    answers = [
        client.get(path, headers={"Authorization": f"{scheme} {value}"})
        for scheme in schemes
        for path in ("/v1/me", "/v1/roles", "/v1/token", "/nothing")
    ]
    answers += [
        client.post("/v1/token", data=GRANT, headers={"Authorization": f"{s} {value}"}) for s in schemes
    ]
    answers += [
        client.get(f"{path}/{value}", headers=key.bearer) for path in ("/v1/roles", "/status", "/x", "")
    ]
    for name in ("access_token", "client_secret", "token", "limit", "cursor"):
        answers += [
            client.get("/v1/roles", params={name: value}, headers=key.bearer),
            client.post("/v1/token", params={name: value}, data=GRANT, auth=key.basic),
            client.post("/v1/introspect", data={name: value}, auth=key.basic),
            client.post("/v1/revoke", data={"token": value, name: value}),
        ]
    for name in ("grant_type", "scope", "resource", "client_id", value):
        answers.append(client.post("/v1/token", data={**GRANT, name: value}, auth=key.basic))
    for body in ({"name": value}, {value: value}, {"scope": value}, {"expires_at": value}):
        answers.append(client.post(f"/v1/roles/{key.role}/keys", json=body, headers=key.bearer))
        answers.append(client.post("/v1/roles", json=body, headers=key.bearer))
    for name in (
        "Cookie",
        "Proxy-Authorization",
        "X-Forwarded-For",
        "User-Agent",
        "Referer",
        "Origin",
        "Prefer",
    ):
        answers.append(client.get("/status/1", headers={name: value}))
    answers += [client.request("PROPFIND", f"/v1/{value}"), client.put("/v1/token", content=value)]
    return answers
