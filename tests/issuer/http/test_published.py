"""The public documents: true, cacheable, readable from any page, and new at once for who waits."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from tests.issuer.http.world import OTHER, SERVICES, World, until

METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
JWKS = "/.well-known/jwks.json"
LIST = "/status/1"


def version(answer: httpx.Response) -> int:
    return int(jwt.decode(answer.content, options={"verify_signature": False})["version"])


def end_a_token(world: World) -> None:
    """A revocation: the list's version rises."""
    key = world.holder("data:get@*")
    data = {"token": world.token(key)}
    assert world.nobody.post("/v1/revoke", auth=key.basic, data=data).status_code == 200


@pytest.mark.parametrize("path", METADATA)
def test_the_metadata_is_true(world: World, path: str) -> None:
    answer = world.nobody.get(path)
    metadata: dict[str, Any] = answer.json()
    assert metadata["issuer"] == world.url
    assert answer.headers["content-type"] == "application/json"
    assert metadata["grant_types_supported"] == [
        *("client_credentials", "authorization_code", "refresh_token"),
        *("urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"),
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ]
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["protected_resources"] == [SERVICES, OTHER, world.url]
    # Every address that it names is there, for the method that it is there for.
    places = {name: url for name, url in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert set(places) == {
        *("jwks_uri", "token_endpoint", "introspection_endpoint", "revocation_endpoint"),
        *("authorization_endpoint", "userinfo_endpoint", "end_session_endpoint"),
        "device_authorization_endpoint",
    }
    for name, url in places.items():
        method = "GET" if name == "jwks_uri" else "POST"
        assert world.nobody.request(method, url).status_code not in (404, 405), name
    # Both ways to authenticate work wherever they are said to.
    key = world.holder("token:introspect@*")
    form = {"client_id": key.access, "client_secret": key.secret}
    for name in ("token", "introspection", "revocation"):
        supported = metadata[f"{name}_endpoint_auth_methods_supported"]
        assert supported[:2] == ["client_secret_basic", "client_secret_post"]
        data = {"grant_type": "client_credentials", "token": "x"}
        url = metadata[f"{name}_endpoint"]
        assert world.nobody.post(url, data=data, auth=key.basic).status_code == 200
        assert world.nobody.post(url, data={**data, **form}).status_code == 200
        # RFC 8414 section 2: who takes private_key_jwt says by which algorithms.
        algorithms = metadata[f"{name}_endpoint_auth_signing_alg_values_supported"]
        assert ("private_key_jwt" in supported, algorithms) == (True, ["ES256", "EdDSA", "Ed25519", "RS256"])
        takes_tokens = world.nobody.post(url, data=data, headers=key.bearer).status_code == 200
        assert ("Bearer" in supported) is takes_tokens, name


def test_the_tokens_are_signed_as_the_metadata_says(world: World) -> None:
    algorithms = world.nobody.get(METADATA[0]).json()["id_token_signing_alg_values_supported"]
    assert [jwk["alg"] for jwk in world.nobody.get(JWKS).json()["keys"]][:1] == algorithms[:1]
    assert set(algorithms) == {"ES256", "EdDSA", "RS256"}, "each, for the ID tokens of whoever asks for it"


def test_the_keys_are_public_and_for_signatures(world: World) -> None:
    answer = world.nobody.get(JWKS)
    assert answer.headers["content-type"] == "application/jwk-set+json"
    parts = {"EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}, "RSA": {"n", "e"}}
    for jwk in answer.json()["keys"]:
        assert set(jwk) == {"kty", "kid", "alg", "use"} | parts[jwk["kty"]]
        assert jwk["use"] == "sig"


@pytest.mark.parametrize("path", [*METADATA, JWKS, LIST])
def test_every_document_may_be_cached(world: World, path: str) -> None:
    answer = world.nobody.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("public, max-age=")
    head = world.nobody.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", [JWKS, LIST])
@pytest.mark.parametrize(
    ("known", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),
        ('"old", {etag}', 304),
        ('"old",W/{etag}', 304),
        ("*", 304),
        ('"old"', 200),
        ("{etag}x", 200),
        ("", 200),
        (",,,", 200),
    ],
)
def test_who_has_a_document_is_not_sent_it_again(world: World, path: str, known: str, status: int) -> None:
    # The document may change between the two requests; then it is asked for again.
    def ask() -> tuple[httpx.Response, httpx.Response]:
        first = world.nobody.get(path)
        return first, world.nobody.get(
            path, headers={"If-None-Match": known.format(etag=first.headers["etag"])}
        )

    first, second = ask()
    while first.headers["etag"] != second.headers["etag"]:
        first, second = ask()
    assert second.status_code == status
    assert second.content == (b"" if status == 304 else first.content)
    for name in ("etag", "cache-control", "access-control-allow-origin"):
        assert second.headers[name] == first.headers[name]


def test_a_list_is_the_same_from_every_process_and_its_etag_is_its_version(world: World) -> None:
    end_a_token(world)
    first = world.nobody.get(LIST)
    assert first.headers["etag"] == f'"{version(first)}"'
    assert first.headers["content-type"] == "application/statuslist+jwt"
    assert first.headers["vary"] == "Prefer"
    with world.issuer.another() as other, other.http("") as second:
        assert second.get(LIST).content == first.content
        end_a_token(world)
        newer = world.nobody.get(LIST)
        assert version(newer) > version(first)
        until(lambda: second.get(LIST).content == newer.content)


def test_who_waits_gets_the_next_version_when_it_exists(world: World) -> None:
    with ThreadPoolExecutor() as pool, world.issuer.http("") as client:

        def wait() -> bool:
            """Whether it came to waiting at all: the request may also arrive after the new version."""
            known = world.nobody.get(LIST)
            headers = {"If-None-Match": known.headers["etag"], "Prefer": "wait=30"}
            waiting = pool.submit(client.get, LIST, headers=headers)
            time.sleep(0.1)
            end_a_token(world)
            # The client gives up long before 30 seconds.
            answer = waiting.result()
            assert answer.status_code == 200
            assert version(answer) > version(known)
            assert answer.headers["etag"] == f'"{version(answer)}"'
            return "preference-applied" in answer.headers

        until(wait)


def test_who_waits_in_vain_is_told_that_it_waited(world: World) -> None:
    etag = world.nobody.get(LIST).headers["etag"]
    answer = world.nobody.get(LIST, headers={"If-None-Match": etag, "Prefer": "wait=1"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (304, "wait=1")
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Prefer", "no-store")


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=0", "wait=0"),
        ("respond-async, wait=0", "wait=0"),
        ("respond-async; wait=0", "wait=0"),
        ("wait=0, handling=lenient", "wait=0"),
        ("wait=", None),
        ("wait=-5", None),
        ("wait=ten", None),
        ("wait=1e3", None),
        ("wait=99999999999999999999", None),
        ("await=9", None),
        ('foo="wait=9"', None),
        ("respond-async", None),
        ("wait\xb2=1", None),
        ("," * 1000, None),
    ],
)
def test_other_preferences_do_not_make_anyone_wait(world: World, prefer: str, applied: str | None) -> None:
    etag = world.nobody.get(LIST).headers["etag"]
    headers = httpx.Headers([(b"If-None-Match", etag.encode()), (b"Prefer", prefer.encode("latin-1"))])
    answer = world.nobody.get(LIST, headers=headers)
    assert answer.status_code in (200, 304)
    assert answer.headers.get("preference-applied") == applied


def test_who_has_an_old_version_or_none_does_not_wait(world: World) -> None:
    for known in ('"0"', None):
        headers = {"Prefer": "wait=10"} | ({"If-None-Match": known} if known else {})
        answer = world.nobody.get(LIST, headers=headers)
        assert answer.status_code == 200
        assert "preference-applied" not in answer.headers


def test_who_hangs_up_does_not_go_on_waiting(world: World) -> None:
    etag = world.nobody.get(LIST).headers["etag"]
    request_id = uuid4().hex
    headers = {"If-None-Match": etag, "Prefer": "wait=30", "X-Request-Id": request_id}
    with pytest.raises(httpx.ReadTimeout):
        world.nobody.get(LIST, headers=headers, timeout=0.5)
    deadline = time.monotonic() + 10
    while not any(line.get("request_id") == request_id for line in world.issuer.lines()):
        assert time.monotonic() < deadline, "it waits although nobody listens"
        time.sleep(0.05)
