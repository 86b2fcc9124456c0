"""How a role key is presented at an OAuth endpoint: HTTP Basic or the form, once, and well-formed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest

from keys import RoleKey
from tests.issuer.http.world import Key, World

FORM = "application/x-www-form-urlencoded"
GRANT = "grant_type=client_credentials"


@pytest.fixture(scope="module")
def key(world: World) -> Key:
    return world.holder("data:get@*")


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


def post(
    world: World, authorization: str | bytes | None, body: str = GRANT, content_type: str = FORM
) -> httpx.Response:
    headers = [(b"Content-Type", content_type.encode())]
    if authorization is not None:
        raw = authorization.encode() if isinstance(authorization, str) else authorization
        headers.append((b"Authorization", raw))
    return world.nobody.post("/v1/token", content=body, headers=httpx.Headers(headers))


@pytest.mark.parametrize(
    "authorization",
    [
        lambda key: basic(key.text),
        lambda key: "basic " + basic(key.text).partition(" ")[2],
        lambda key: "BASIC " + basic(key.text).partition(" ")[2],
        lambda key: "Basic  " + basic(key.text).partition(" ")[2],
        lambda key: basic(f"{quote_plus(key.access)}:{quote_plus(key.secret)}"),
        lambda key: basic(f"%68{key.access[1:]}:{key.secret}"),
        lambda key: basic(f"{key.access}:{''.join(f'%{ord(c):02x}' for c in key.secret)}"),
    ],
    ids=[
        "plain",
        "small letters",
        "capitals",
        "two spaces",
        "form-encoded",
        "one letter encoded",
        "all encoded",
    ],
)
def test_basic_is_read_as_rfc_6749_writes_it(
    world: World, key: Key, authorization: Callable[[Key], str]
) -> None:
    assert post(world, authorization(key)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        f"{GRANT}&client_id={{access}}&client_secret={{secret}}",
        f"client_secret={{secret}}&client_id={{access}}&{GRANT}",
        f"{GRANT}&client_id=%68{{rest}}&client_secret={{secret}}&unknown=1",
    ],
)
def test_the_form_carries_it_as_well(world: World, key: Key, body: str) -> None:
    filled = body.format(access=key.access, rest=key.access[1:], secret=key.secret)
    assert post(world, None, filled).status_code == 200


def test_the_form_may_repeat_who_the_basic_header_names(world: World, key: Key) -> None:
    assert post(world, basic(key.text), f"{GRANT}&client_id={key.access}").status_code == 200


@pytest.mark.parametrize(
    ("authorization", "body", "said"),
    [
        (lambda key: basic(key.text), f"{GRANT}&client_secret=x", "authenticate once"),
        (lambda key: basic(key.text), f"{GRANT}&client_id=hmk_0000000000000000", "client_id is another one"),
        (lambda _: "Basic !!!", GRANT, "not base64"),
        (lambda _: "Basic YWJ", GRANT, "not base64"),
        (lambda _: b"Basic \xe9\xe9\xe9\xe9", GRANT, "not base64"),
        (lambda _: "Basic", GRANT, "no colon"),
        (lambda _: basic(b"\xff\xfe:x"), GRANT, "not base64 of user:password"),
        (lambda key: basic(key.access), GRANT, "no colon"),
        (lambda key: f"Bearer {key.text}", GRANT, "HTTP Basic"),
        (lambda _: "Digest a=b", GRANT, "HTTP Basic"),
        (lambda _: "", GRANT, "HTTP Basic"),
    ],
)
def test_a_malformed_authentication_is_an_invalid_request_that_says_why(
    world: World, key: Key, authorization: Callable[[Key], str | bytes], body: str, said: str
) -> None:
    answer = post(world, authorization(key), body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert said in answer.json()["error_description"]
    assert key.secret not in answer.text


@pytest.mark.parametrize(
    ("authorization", "body"),
    [
        (lambda _: None, GRANT),
        (lambda _: None, f"{GRANT}&client_id={{access}}"),
        (lambda _: None, f"{GRANT}&client_secret={{secret}}"),
        (lambda _: None, f"{GRANT}&client_id={{access}}&client_secret="),
        (lambda key: basic(f"{key.access}:"), GRANT),
        (lambda key: basic(f":{key.secret}"), GRANT),
        (lambda key: basic(f"{key.access}:{key.secret}:"), GRANT),
        (lambda key: basic(f"{key.access}::{key.secret}"), GRANT),
        (lambda key: basic(f" {key.text}"), GRANT),
        (lambda key: basic(f"{key.text}\n"), GRANT),
        (lambda key: basic(f"{key.text}\0"), GRANT),
        (lambda key: basic(f"{key.access}%3A:{key.secret}"), GRANT),
        (lambda key: basic(f"{quote(key.access.upper())}:{key.secret}"), GRANT),
        (lambda key: basic(f"{key.access}:{RoleKey.generate(key.access).secret}"), GRANT),
        (lambda _: basic("admin:admin"), GRANT),
    ],
)
def test_what_opens_nothing_is_an_invalid_client(
    world: World, key: Key, authorization: Callable[[Key], str | None], body: str
) -> None:
    filled = body.format(access=key.access, secret=key.secret)
    answer = post(world, authorization(key), filled)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == 'Basic realm="hourmark", charset="UTF-8"'


@pytest.mark.parametrize("sent", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
@pytest.mark.parametrize("path", ["/v1/token", "/v1/revoke", "/v1/introspect"])
def test_another_content_type_is_answered_with_the_right_one(
    world: World, key: Key, path: str, sent: str
) -> None:
    headers = {"Content-Type": sent, "Authorization": basic(key.text)}
    answer = world.nobody.post(path, content=GRANT, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")
    assert FORM in answer.json()["error_description"]


@pytest.mark.parametrize("sent", [FORM, FORM.upper(), f"{FORM};charset=UTF-8", f"{FORM} ; charset=utf-8"])
def test_the_content_type_may_have_parameters(world: World, key: Key, sent: str) -> None:
    assert post(world, basic(key.text), content_type=sent).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type",
        b"grant_type=client_credentials&&",
        b"grant_type=client_credentials&scope=%ff",
        b"\xff\xfe",
        b"&".join(b"p%d=1" % number for number in range(101)),
        b'{"grant_type":"client_credentials"}',
    ],
)
def test_a_body_that_is_no_form_is_an_invalid_request(world: World, key: Key, body: bytes) -> None:
    headers = {"Content-Type": FORM, "Authorization": basic(key.text)}
    answer = world.nobody.post("/v1/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/token"])
def test_of_two_authorization_headers_none_is_believed(world: World, key: Key, path: str) -> None:
    headers = httpx.Headers([("Authorization", basic(key.text)), ("Authorization", f"Bearer {key.text}")])
    method = "GET" if path == "/v1/me" else "POST"
    body = None if method == "GET" else {"grant_type": "client_credentials"}
    answer = world.nobody.request(method, path, headers=headers, data=body)
    assert answer.status_code == 400
    assert "one Authorization header" in answer.text
