"""The shared request cases of the token endpoint."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable

import httpx
import jwt
import pytest

from keys import RoleKey
from tests.issuer.http.cases import case
from tests.issuer.http.conftest import Expired
from tests.issuer.http.sockets import client_at, flood
from tests.issuer.http.world import FAILURES_PER_MINUTE, Key, World, until

GRANT = {"grant_type": "client_credentials"}
MIB = 1024 * 1024


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def wrong(key: Key) -> Key:
    """Well-formed and with a good checksum: the secret of another role key."""
    return Key(key.role, key.access, RoleKey.generate(key.access).secret)


def same_everywhere(answer: httpx.Response) -> dict[str, str]:
    """Headers but those that differ from any answer to the next."""
    return {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}


@case("tk-badsecret", "401", "invalid_client")
@case("tk-unknown", "401", "invalid_client")
def test_a_wrong_secret_and_an_unknown_access_id_look_the_same(world: World) -> None:
    key = world.holder("data:get@*")
    presented = [
        wrong(key),
        wrong(Key("", "hmk_0000000000000000", "")),
        Key("", key.access, key.secret[:-1]),
        Key("", key.access, "wrong"),
        Key("", "nope", "x"),
    ]
    answers = [world.exchange(one) for one in presented]
    assert {refusal(answer) for answer in answers} == {(401, "invalid_client")}
    assert len({answer.content for answer in answers}) == 1
    assert all(same_everywhere(answer) == same_everywhere(answers[0]) for answer in answers)
    assert answers[0].headers["www-authenticate"].startswith("Basic ")


@case("tk-both-auth", "400", "invalid_request")
def test_a_client_authenticates_once(world: World) -> None:
    key = world.holder("data:get@*")
    assert refusal(world.exchange(key, client_id=key.access, client_secret=key.secret)) == (
        400,
        "invalid_request",
    )


@case("tk-query-secret", "400", "invalid_request")
def test_a_secret_in_the_url_is_refused_and_not_logged(world: World) -> None:
    key = world.holder("data:get@*")
    credential = {"client_id": key.access, "client_secret": key.secret}
    answers = [
        world.nobody.post("/v1/token", params=credential, data=GRANT),
        world.nobody.post("/v1/token", params={**GRANT, **credential}),
        world.nobody.post("/v1/token", params=credential, data=GRANT, auth=key.basic),
    ]
    for answer in answers:
        assert refusal(answer) == (400, "invalid_request")
        assert key.secret not in answer.text
        assert world.line(answer)["route"] == "/v1/token"
    assert key.secret not in world.issuer.log.read_text()


@case("tk-dup-param", "400", "invalid_request")
@pytest.mark.parametrize(
    "form",
    [
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&scope=data%3Aget%40a&scope=data%3Aget%40b",
        "grant_type=client_credentials&scope=&scope=",
        "grant_type=client_credentials&unknown=1&unknown=2",
    ],
)
def test_a_parameter_comes_once(world: World, form: str) -> None:
    key = world.holder("data:get@*")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = world.nobody.post("/v1/token", auth=key.basic, content=form, headers=headers)
    assert refusal(answer) == (400, "invalid_request")


@case("tk-get", "401", "invalid_token")
def test_get_serves_jobs_only(world: World) -> None:
    key = world.holder("data:get@*")
    answers = [
        world.nobody.get("/v1/token"),
        world.nobody.get("/v1/token", auth=key.basic),
        world.nobody.get("/v1/token", headers=key.bearer),
        world.nobody.get("/v1/token", params=GRANT, auth=key.basic),
    ]
    for answer in answers:
        assert refusal(answer) == (401, "invalid_token")
        assert answer.headers["www-authenticate"] in ("Bearer", 'Bearer error="invalid_token"')


@case("tk-nogrant", "400", "invalid_request")
def test_the_grant_is_named(world: World) -> None:
    key = world.holder("data:get@*")
    for data in ({}, {"scope": "data:get@*"}, {"grant_type": ""}):
        assert refusal(world.nobody.post("/v1/token", auth=key.basic, data=data)) == (400, "invalid_request")


@case("tk-badgrant", "400", "unsupported_grant_type")
def test_other_grants_are_unsupported(world: World) -> None:
    key = world.holder("data:get@*")
    for grant in ("password", "CLIENT_CREDENTIALS", "client_credentials "):
        data = {"grant_type": grant, "username": "u", "password": "p"}
        answer = world.nobody.post("/v1/token", auth=key.basic, data=data)
        assert refusal(answer) == (400, "unsupported_grant_type")


@case("tk-scope-more", "200")
def test_asked_for_more_what_is_held_is_granted(world: World) -> None:
    key = world.holder("data:get@*")
    answer = world.exchange(key, scope="data:get@* admin")
    assert (answer.status_code, answer.json()["scope"]) == (200, "data:get@*")
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["scope"] == "data:get@*"
    assert refusal(world.exchange(key, scope="admin")) == (400, "invalid_scope")


@case("tk-disabled", "401", "invalid_client")
@pytest.mark.parametrize("gone", ["/v1/roles/{role}", "/v1/roles/{role}/keys/{access}"])
def test_what_is_deleted_is_refused_by_every_process_within_a_second(world: World, gone: str) -> None:
    key = world.holder("data:get@*")
    with world.issuer.another() as other, other.http("") as second:

        def exchange_there() -> httpx.Response:
            return second.post("/v1/token", auth=key.basic, data=GRANT)

        assert exchange_there().status_code == 200
        assert world.admin.delete(gone.format(role=key.role, access=key.access)).status_code == 200
        assert refusal(world.exchange(key)) == (401, "invalid_client")
        # A process that cannot see the change yet issues nothing (503); it never goes on for longer.
        time.sleep(1.0)
        assert exchange_there().status_code in (401, 503)
        until(lambda: exchange_there().status_code != 503)
        assert refusal(exchange_there()) == (401, "invalid_client")


@case("tk-expired-key", "401", "invalid_client")
def test_an_expired_role_key_is_exchanged_no_more(world: World, expired: Expired) -> None:
    assert refusal(world.exchange(expired.key)) == (401, "invalid_client")


@case("tk-headers", "-")
def test_every_answer_is_json_that_nobody_keeps(world: World) -> None:
    key = world.holder("data:get@*")
    post = world.nobody.post
    basic = b64encode(key.text.encode()).decode()
    answers: dict[int, Callable[[], httpx.Response]] = {
        200: lambda: world.exchange(key),
        400: lambda: world.exchange(key, scope="admin"),
        401: lambda: world.exchange(wrong(key)),
        405: lambda: world.nobody.put("/v1/token", data=GRANT),
        413: lambda: post("/v1/token", content=b"x" * 70_000),
        415: lambda: post("/v1/token", json=GRANT, headers={"Authorization": f"Basic {basic}"}),
    }
    for status, ask in answers.items():
        answer = ask()
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json;charset=UTF-8", status
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache"), status
        assert isinstance(answer.json().get("error", ""), str), status


@case("tk-body-1GiB", "413", "invalid_request")
@pytest.mark.parametrize("length", [f"Content-Length: {1024 * MIB}", "Transfer-Encoding: chunked"])
def test_a_huge_body_is_refused_before_it_is_read(world: World, length: str) -> None:
    form = "Content-Type: application/x-www-form-urlencoded"
    head = f"POST /v1/token HTTP/1.1\nHost: localhost\n{form}\n{length}\n\n"
    flooded = flood(world.issuer.url, head, chunked="chunked" in length)
    assert flooded.status == 413
    assert '"error":"invalid_request"' in flooded.body
    assert "connection: close" in flooded.head
    assert flooded.was_closed
    assert flooded.accepted < MIB


@case("tk-429", "429", "slow_down or none")
def test_too_many_wrong_secrets_slow_down_their_source_and_lock_nobody_out(world: World) -> None:
    key = world.holder("data:get@*")
    url = world.issuer.url
    with client_at(url, "127.0.0.2") as guesser, client_at(url, "127.0.0.3") as other:

        def exchange(client: httpx.Client, presented: Key) -> httpx.Response:
            return client.post("/v1/token", auth=presented.basic, data=GRANT)

        answers = [exchange(guesser, wrong(key)) for _ in range(200)]
        assert {refusal(answer) for answer in answers[:FAILURES_PER_MINUTE]} == {(401, "invalid_client")}
        blocked = exchange(guesser, wrong(key))
        assert refusal(blocked) == (429, "slow_down")
        assert 1 <= int(blocked.headers["retry-after"]) <= 60
        assert refusal(exchange(other, wrong(key))) == (401, "invalid_client")
        assert exchange(other, key).status_code == 200
        assert exchange(guesser, key).status_code == 200
        # Role keys as bearer tokens are counted with them.
        assert guesser.get("/v1/me", headers=wrong(key).bearer).status_code == 429
        assert guesser.get("/v1/me", headers=key.bearer).status_code == 200
