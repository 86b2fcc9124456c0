"""The shared request cases: each has a test, against a real issuer over a socket."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from issuer.rotation import JWKS_MAX_AGE
from issuer.store.status_indices import MARGIN
from tests import vectors
from tests.issuer.http import cases
from tests.issuer.http.cases import case
from tests.issuer.http.conftest import Expired
from tests.issuer.http.world import OTHER, SERVICES, World, bearer, open_world, until
from tests.postgresql import PostgresServer

_MODULES = (
    *(f"issuer.http.test_http_cases{part}" for part in ("", "_token", "_people")),
    *(f"issuer.http.test_{part}" for part in ("authorize", "codes", "refresh", "device")),
    *(f"issuer.http.test_{part}" for part in ("token_exchange", "tokens", "registry_token")),
    "journeys.test_redeemed_once",
    "journeys.registry.test_what_registries_check",
)
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


def test_every_case_has_a_test_that_expects_what_it_says() -> None:
    wanted = {
        row["id"]: (str(row["status"]), row["error"])
        for row in vectors.load("http_cases.json")
        if row["area"] in cases.AREAS
    }
    for module in _MODULES:
        importlib.import_module(f"tests.{module}")
    assert wanted == cases.COVERED


def forged(token: str) -> str:
    """The same header and claims, signed by somebody else."""
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = jwt.get_unverified_header(token)
    return jwt.encode(claims, generate_private_key(SECP256R1()), algorithm="ES256", headers=headers)


def tampered(token: str) -> str:
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BA'}"


def bad_tokens(world: World, expired: Expired) -> dict[str, str]:
    good = world.token(world.holder("data:get@*"))
    return {
        "expired": expired.token,
        "forged": forged(good),
        "tampered": tampered(good),
        "unsigned": good.rpartition(".")[0] + ".",
        "no token": "not-a-token",
        "mistyped role key": f"{expired.key.access}:{expired.key.secret[:-1]}",
    }


@case("rs-none", "401", "none")
def test_no_token_is_asked_for_one_without_an_error(world: World) -> None:
    for path in ("/v1/roles", "/v1/me"):
        answer = world.nobody.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@case("rs-bad", "401", "invalid_token")
def test_a_bad_token_is_refused(world: World, expired: Expired) -> None:
    for name, token in bad_tokens(world, expired).items():
        for path in ("/v1/roles", "/v1/me"):
            answer = world.nobody.get(path, headers=bearer(token))
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), name
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"'), name
            assert token not in answer.text, name


@case("rs-scope", "403", "insufficient_scope")
def test_a_token_without_the_permission_is_told_which_one(world: World) -> None:
    token = world.for_issuer(world.holder("role:get@org.tests.mine"))
    answer = world.nobody.get("/v1/roles/org.tests.theirs", headers=bearer(token))
    challenge = 'Bearer error="insufficient_scope", scope="role:get@org.tests.theirs"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (403, challenge)
    assert answer.json()["code"] == "insufficient_scope"


@case("rs-two", "400", "invalid_request")
def test_a_token_in_the_url_is_refused_beside_one_in_the_header_too(world: World) -> None:
    token = world.for_issuer(world.holder("role:get@*"))
    for headers in (bearer(token), {}):
        for path in ("/v1/roles", "/v1/me"):
            answer = world.nobody.get(path, params={"access_token": token}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
            assert token not in answer.text


@case("rv-unknown", "200")
def test_revoking_what_is_no_good_token_succeeds(world: World, expired: Expired) -> None:
    key = world.holder("data:get@*")
    for name, token in bad_tokens(world, expired).items():
        answer = world.nobody.post("/v1/revoke", auth=key.basic, data={"token": token})
        assert (answer.status_code, answer.content) == (200, b""), name


@case("rv-other", "200")
def test_nobody_revokes_the_token_of_another_client(world: World) -> None:
    key, stranger = world.holder("data:get@*"), world.holder("data:get@*")
    token = world.token(key)
    answer = world.nobody.post("/v1/revoke", auth=stranger.basic, data={"token": token})
    assert (answer.status_code, answer.content) == (200, b"")
    assert world.is_active(token)
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200


@case("in-unauth", "401", "invalid_client")
def test_introspection_is_for_clients(world: World) -> None:
    key = world.holder("token:introspect@*")
    data = {"token": world.token(key)}
    for answer in (
        world.nobody.post("/v1/introspect", data=data),
        world.nobody.post("/v1/introspect", data=data, auth=httpx.BasicAuth(key.access, "wrong")),
    ):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")


@case("in-dead", "200")
def test_a_dead_token_is_inactive_and_nothing_else_is_said(world: World, expired: Expired) -> None:
    key = world.holder("token:introspect@*")
    revoked = world.token(key)
    assert world.nobody.post("/v1/revoke", auth=key.basic, data={"token": revoked}).status_code == 200
    for name, token in {**bad_tokens(world, expired), "revoked": revoked}.items():
        answer = world.nobody.post("/v1/introspect", auth=key.basic, data={"token": token})
        assert (answer.status_code, answer.json()) == (200, {"active": False}), name


def test_introspection_answers_for_the_audiences_that_the_caller_may_ask_for(world: World) -> None:
    narrow, holder = world.holder(f"token:introspect@{SERVICES}"), world.holder("data:get@*")
    for audience, is_seen in ((SERVICES, True), (OTHER, False)):
        token = world.token(holder, resource=audience)
        answer = world.nobody.post("/v1/introspect", auth=narrow.basic, data={"token": token}).json()
        expected: dict[str, Any] = {"active": False}
        if is_seen:
            claims = jwt.decode(token, options={"verify_signature": False})
            expected = {"active": True, "token_type": "Bearer", **claims}
            del expected["status"]
        assert answer == expected


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@case("jw-headers", "200")
def test_keys_are_served_as_public_and_cacheable_and_with_the_database_down(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    with open_world(tmp_path, HOURMARKD_DATABASE_URL=postgres_server.create_database()) as world:
        key = world.holder("data:get@*")
        # The next key appears soon after the first start.
        until(lambda: len(world.nobody.get("/.well-known/jwks.json").json()["keys"]) > 1)
        before = world.nobody.get("/.well-known/jwks.json")
        listed = world.nobody.get("/status/1")
        with stopped(postgres_server):
            until(lambda: world.nobody.get("/readyz").status_code == 503)
            down = world.nobody.get("/.well-known/jwks.json")
            assert (down.status_code, down.content) == (200, before.content)
            assert world.nobody.get("/status/1").content == listed.content
            assert world.nobody.get("/.well-known/openid-configuration").status_code == 200
            assert world.nobody.get("/livez").status_code == 200
            refused = world.exchange(key)
            assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.headers["cache-control"] == "no-store"
            managed = world.admin.get("/v1/roles")
            assert (managed.status_code, managed.json()["code"]) == (503, "temporarily_unavailable")
        until(lambda: world.nobody.get("/readyz").status_code == 200)
        assert world.exchange(key).status_code == 200

    published = before.json()["keys"]
    assert published
    assert not any(PRIVATE_MEMBERS & set(jwk) for jwk in published)
    assert before.headers["etag"] == down.headers["etag"]
    name, _, seconds = before.headers["cache-control"].rpartition("=")
    # A successor is published twice what anyone caches, and a margin, before it signs.
    assert (name, int(seconds) <= (2 * JWKS_MAX_AGE + MARGIN) / 2) == ("public, max-age", True)
