"""The behaviours that the OpenID Foundation's certification asks of a provider (Basic and Config profiles).

A test each, named after what it checks: answers, ID tokens, userinfo, the token endpoint, what is published.
What a request may say is beside it. Numbers are those of the sections of OpenID Connect Core 1.0.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from tests.browsers import Browser
from tests.clients import App, allow, claims, register, returned
from tests.issuer.http.world import World, bearer, until
from tests.journeys import certified
from tests.journeys.certified import EVERYTHING, OPENID, USER, authenticate, id_token, told

world, client, browser = certified.world, certified.client, certified.browser
signed, metadata = certified.signed, certified.metadata


# Responses, and who asks.


def test_code_response(world: World, client: App, browser: Browser) -> None:
    """OP-Response-code: the whole way, from nobody signed in to tokens."""
    asked = authenticate(browser, browser.get(client.target(scope=OPENID)))
    assert asked.status_code == 200
    came = returned(browser.send("/consent", {"decision": "allow"}))
    assert set(came) == {"code", "state", "iss"}
    assert (came["state"], came["iss"]) == ("state-1", world.url)
    answer = client.redeem(came["code"])
    assert answer.headers["cache-control"] == "no-store"
    assert {"access_token", "token_type", "id_token", "expires_in"} <= set(answer.json())
    assert answer.json()["token_type"] == "Bearer"


def test_response_type_missing(client: App, signed: Browser) -> None:
    assert told(signed, client, response_type=None) == "invalid_request"


def test_response_mode_other_than_the_flows(client: App, signed: Browser) -> None:
    assert told(signed, client, response_mode="form_post") == "invalid_request"
    assert told(signed, client, response_mode="query", prompt="none") == "consent_required"


def test_state_is_left_out_where_it_was(client: App, signed: Browser) -> None:
    assert "state" not in returned(allow(signed, client.target(state=None)))


def test_denied_by_the_user(client: App, signed: Browser) -> None:
    signed.get(client.target(scope=OPENID))
    assert returned(signed.send("/consent", {"decision": "deny"}))["error"] == "access_denied"


# The ID token.


def test_id_token_signature_and_claims(
    world: World, client: App, signed: Browser, metadata: dict[str, Any]
) -> None:
    """OP-IDToken-*: checked by a library that is not ours, by the published key that `kid` names."""
    raw = client.sign_in(signed, scope=OPENID)["id_token"]
    header = jwt.get_unverified_header(raw)
    published = world.nobody.get(urlsplit(metadata["jwks_uri"]).path).json()
    (key,) = [each for each in published["keys"] if each["kid"] == header["kid"]]
    assert header["alg"] in metadata["id_token_signing_alg_values_supported"]
    said = jwt.decode(
        raw,
        jwt.PyJWK(key),
        algorithms=[header["alg"]],
        audience=client.client_id,
        issuer=metadata["issuer"],
        options={"require": ["iss", "sub", "aud", "exp", "iat", "auth_time"]},
    )
    assert said["sub"] == f"user:{USER}"
    assert set(said) <= set(metadata["claims_supported"])


def test_nonce_present(client: App, signed: Browser) -> None:
    assert id_token(client, signed, nonce="n-0S6_WzA2Mj")["nonce"] == "n-0S6_WzA2Mj"


def test_nonce_absent(client: App, signed: Browser) -> None:
    """OP-nonce-NoReq-code: allowed in the code flow, and nothing is made up."""
    assert "nonce" not in id_token(client, signed)


def test_at_hash_is_of_the_access_token(client: App, signed: Browser) -> None:
    """3.1.3.6: half of the hash, by a library that is not ours."""
    tokens = client.sign_in(signed, scope=OPENID)
    algorithm = jwt.get_algorithm_by_name(jwt.get_unverified_header(tokens["id_token"])["alg"])
    digest = algorithm.compute_hash_digest(tokens["access_token"].encode())
    half = jwt.utils.base64url_encode(digest[: len(digest) // 2]).decode()
    assert claims(tokens["id_token"])["at_hash"] == half


def test_without_openid_there_is_no_id_token(client: App, signed: Browser) -> None:
    assert "id_token" not in client.sign_in(signed, scope="data:get@*")


# Userinfo.


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_by_bearer_header(world: World, client: App, signed: Browser, method: str) -> None:
    tokens = client.sign_in(signed, scope=OPENID)
    answer = world.nobody.request(method, "/v1/userinfo", headers=bearer(tokens["access_token"]))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["sub"] == claims(tokens["id_token"])["sub"]


def test_userinfo_by_post_body_is_refused(world: World, client: App, signed: Browser) -> None:
    """RFC 6750 section 2.2 makes it optional: a token travels in the header alone."""
    token = client.sign_in(signed, scope=OPENID)["access_token"]
    answer = world.nobody.post("/v1/userinfo", data={"access_token": token})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_userinfo_with_a_token_that_ended(world: World, client: App, signed: Browser) -> None:
    token = client.sign_in(signed, scope=OPENID)["access_token"]
    proof = httpx.BasicAuth(client.client_id, client.secret or "")
    assert world.nobody.post("/v1/revoke", data={"token": token}, auth=proof).status_code == 200
    answer = world.nobody.get("/v1/userinfo", headers=bearer(token))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("scope", "members"),
    [
        ("openid", set()),
        ("openid profile", {"name", "preferred_username"}),
        ("openid email", {"email", "email_verified"}),
        ("openid profile email", {"name", "preferred_username", "email", "email_verified"}),
        ("openid address phone", set()),
    ],
)
def test_scope_says_which_claims(
    world: World, client: App, signed: Browser, scope: str, members: set[str]
) -> None:
    """OP-scope-*: a scope that is not known here is left out, and the rest is granted."""
    token = client.sign_in(signed, scope=scope)["access_token"]
    assert set(world.nobody.get("/v1/userinfo", headers=bearer(token)).json()) == {"sub", *members}


# The token endpoint.


def test_code_reuse(world: World, client: App, signed: Browser) -> None:
    """OP-OAuth-2nd, -2nd-Revokes: refused, and what the first use got is worth nothing any more."""
    code = client.code(signed, scope=OPENID)
    token = client.redeem(code).json()["access_token"]
    again = client.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    until(lambda: world.nobody.get("/v1/userinfo", headers=bearer(token)).status_code == 401)


def test_redirect_uri_mismatch_at_the_token_endpoint(client: App, signed: Browser) -> None:
    answer = client.redeem(client.code(signed), redirect_uri="https://app.test/other")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("way", ["basic", "post"])
def test_client_authentication(world: World, client: App, signed: Browser, way: str) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": client.code(signed),
        "redirect_uri": client.redirect_uri,
        "code_verifier": client.verifier,
    }
    secret = client.secret or ""
    if way == "basic":
        answer = world.nobody.post("/v1/token", data=form, auth=httpx.BasicAuth(client.client_id, secret))
    else:
        form |= {"client_id": client.client_id, "client_secret": secret}
        answer = world.nobody.post("/v1/token", data=form)
    assert answer.status_code == 200


def test_refresh_token(world: World, client: App, signed: Browser) -> None:
    """OP-Refresh: offline_access is asked about, and each refresh token gives another one."""
    client.code(signed, scope=OPENID)
    assert "while you are away" in signed.get(client.target(scope=EVERYTHING)).text
    first = client.sign_in(signed, scope=EVERYTHING)
    second = client.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert claims(second["id_token"])["sub"] == claims(first["id_token"])["sub"]
    assert world.nobody.get("/v1/userinfo", headers=bearer(second["access_token"])).status_code == 200


# The Config profile: what is published.


def test_discovery_document(world: World, metadata: dict[str, Any]) -> None:
    assert metadata["issuer"] == world.url
    for member in ("authorization", "token", "userinfo", "end_session"):
        assert metadata[f"{member}_endpoint"].startswith(f"{world.url}/")
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["subject_types_supported"] == ["public"]
    assert {"openid", "profile", "email", "offline_access"} <= set(metadata["scopes_supported"])
    assert {"sub", "iss", "auth_time", "name", "email"} <= set(metadata["claims_supported"])
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["request_parameter_supported"] is False
    # Without a word it would be supported (OpenID Connect Discovery section 3).
    assert metadata["request_uri_parameter_supported"] is False


def test_every_endpoint_of_the_discovery_document_is_there(world: World, metadata: dict[str, Any]) -> None:
    for name, url in metadata.items():
        if name.endswith(("_endpoint", "_uri")):
            path = urlsplit(url).path
            assert world.nobody.get(path).status_code != 404, name


def test_every_prompt_that_is_published_is_known(
    client: App, signed: Browser, metadata: dict[str, Any]
) -> None:
    for prompt in metadata["prompt_values_supported"]:
        answer = signed.get(client.target(scope=OPENID, prompt=prompt))
        query = parse_qs(urlsplit(answer.headers.get("location", "")).query)
        assert query.get("error", [""]) != ["invalid_request"], prompt


def test_jwks(world: World, metadata: dict[str, Any]) -> None:
    published = world.nobody.get(urlsplit(metadata["jwks_uri"]).path).json()["keys"]
    kids = [key["kid"] for key in published]
    assert len(kids) == len(set(kids)) > 0
    for key in published:
        assert (key["use"], bool(key["alg"]), bool(key["kty"])) == ("sig", True, True)
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & set(key)


def test_rp_initiated_logout(world: World, signed: Browser, metadata: dict[str, Any]) -> None:
    client = register(world, post_logout_redirect_uris=["https://app.test/bye"])
    hint = client.sign_in(signed, scope=OPENID)["id_token"]
    path = urlsplit(metadata["end_session_endpoint"]).path
    query = {"id_token_hint": hint, "post_logout_redirect_uri": "https://app.test/bye", "state": "s"}
    answer = signed.get(f"{path}?{httpx.QueryParams(query)}")
    assert answer.headers["location"] == "https://app.test/bye?state=s"
    assert told(signed, client, prompt="none") == "login_required"
