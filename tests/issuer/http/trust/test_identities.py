"""A token of another issuer becomes that of a role, if a policy of the role takes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clients import claims, register
from tests.issuer.http.operations import NOBODY
from tests.issuer.http.trust.asking import SUBJECT, TYPE, ask, exchange, good, got, tried, trust
from tests.issuer.http.world import OTHER, SERVICES, World, bearer
from tests.outside_issuer import OutsideIssuer, outside_issuer
from tests.verifier.small_world import allowed, permissions
from verifier import Scope


@pytest.mark.parametrize("kind", ["jwt", "id_token", "access_token", "jwt-bearer"])
def test_a_service_account_becomes_a_role(
    world: World, cluster: OutsideIssuer, trusted: str, kind: str
) -> None:
    token = good(world, cluster)
    if kind == "jwt-bearer":
        answer = ask(world, trusted, token)
        assert "issued_token_type" not in answer.json()
    else:
        answer = exchange(world, trusted, token, subject_token_type=TYPE + kind)
        assert got(answer)["issued_token_type"] == f"{TYPE}access_token"
    assert answer.headers["cache-control"] == "no-store"
    said = claims(got(answer)["access_token"])
    assert (said["sub"], said["roles"], said["aud"]) == (f"role:{trusted}", [trusted], SERVICES)
    (policy,) = world.admin.get(f"/v1/roles/{trusted}/trust").json()["items"]
    assert said["client_id"] == policy["id"]
    assert world.is_active(answer.json()["access_token"])
    assert cluster.asked.keys() >= {"/.well-known/openid-configuration", "/openid/v1/jwks"}


@pytest.mark.parametrize("grant", [ask, exchange, tried])
def test_white_space_at_its_ends_is_not_the_token(
    world: World, cluster: OutsideIssuer, trusted: str, grant: Callable[[World, str, str], httpx.Response]
) -> None:
    token = good(world, cluster)
    assert got(grant(world, trusted, f" \t{token}\r\n")).get("accepted", True)


def test_it_lives_no_longer_than_what_it_came_from(
    world: World, cluster: OutsideIssuer, trusted: str
) -> None:
    soon = int(time.time()) + 90
    answer = got(ask(world, trusted, good(world, cluster, exp=soon)))
    assert claims(answer["access_token"])["exp"] == soon
    assert answer["expires_in"] <= 90
    late = got(ask(world, trusted, good(world, cluster, exp=soon + 7200)))
    said = claims(late["access_token"])
    assert said["exp"] - said["iat"] == 3600


def test_it_may_be_asked_for_again_for_another_service_and_for_less(
    world: World, cluster: OutsideIssuer, trusted: str
) -> None:
    token = good(world, cluster)
    whole = got(ask(world, trusted, token))
    assert whole["scope"] == "data:get@* data:put@a*"
    narrow = got(ask(world, trusted, token, scope="data:put@*", resource=OTHER))
    said = claims(narrow["access_token"])
    assert (said["scope"], said["aud"], said["roles"]) == ("data:put@a*", OTHER, [])
    for form, error in (
        ({"scope": "app:query@*"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ):
        refused = ask(world, trusted, token, **form)
        assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_the_log_tells_who_it_was_and_no_token(world: World, cluster: OutsideIssuer, trusted: str) -> None:
    token = good(world, cluster)
    line = world.line(ask(world, trusted, token))
    assert (line["outside_issuer"], line["outside_subject"]) == (cluster.url, SUBJECT)
    assert (line["sub"], line["client_id"][:6]) == (f"role:{trusted}", "trust_")
    refused = world.line(ask(world, trusted, good(world, cluster, sub="another")))
    assert list(refused["outside_failed"].values()) == [["subject"]]
    assert token not in world.issuer.log.read_text()
    assert token.rpartition(".")[2] not in world.issuer.log.read_text()


def test_a_token_of_this_issuer_is_no_outside_token(world: World) -> None:
    key = world.holder("data:get@*")
    role = world.role("data:get@*", "data:put@*")
    own = world.token(key)
    answer = ask(world, role, own)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    refused = world.admin.post(
        f"/v1/roles/{role}/trust", json={"issuer": world.url, "subject": f"role:{key.role}"}
    )
    assert (refused.status_code, "this issuer itself" in refused.json()["detail"]) == (422, True)


def test_keys_that_cannot_be_had(world: World) -> None:
    role = world.role("data:get@*")
    policy = trust(world, role, issuer=NOBODY, subject="s-1")
    assert any("cannot be had" in finding["why"] for finding in policy["findings"])
    with outside_issuer() as other:
        token = other.token(world.url, "s-1", iss=NOBODY)
    answer = ask(world, role, token)
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert "retry-after" in answer.headers
    (failed,) = (check for check in tried(world, role, token).json()["checks"] if check["outcome"] == "fails")
    assert (failed["clause"], "cannot be had" in failed["reason"]) == ("signature", True)


def test_an_app_that_is_a_role_gets_no_more_by_it(world: World, cluster: OutsideIssuer) -> None:
    """The role's token is the role's own: it acts for nobody."""
    role = world.role("data:get@*")
    trust(world, role, issuer=cluster.url, subject="s-1")
    register(world, role=role)
    token = got(ask(world, role, cluster.token(world.url, "s-1")))["access_token"]
    assert "act" not in claims(token)


def test_it_is_not_the_owner_that_its_role_is(world: World, cluster: OutsideIssuer) -> None:
    role = world.role("data:get@*")
    app = register(world, owner=f"role:{role}", token_endpoint_auth_method="client_secret_basic")
    trust(world, role, issuer=cluster.url, subject="s-1")
    token = got(ask(world, role, cluster.token(world.url, "s-1"), resource=world.url))["access_token"]
    refused = world.nobody.post(f"/v1/apps/{app.name}/secret", headers=bearer(token))
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    held=st.lists(permissions, min_size=1, max_size=3, unique_by=str),
    asked=st.none() | st.lists(permissions, min_size=1, max_size=3).map(Scope.of).filter(bool),
)
def test_what_is_got_never_reaches_more_than_the_role(
    world: World, cluster: OutsideIssuer, held: list[Any], asked: Scope | None
) -> None:
    role = world.role(*map(str, held))
    trust(world, role, issuer=cluster.url, subject="s-1")
    form = {} if asked is None else {"scope": str(asked)}
    answer = ask(world, role, cluster.token(world.url, "s-1"), **form)
    within = allowed(Scope.of(held)) & (allowed(Scope.of(held)) if asked is None else allowed(asked))
    if answer.status_code != 200:
        assert (answer.json()["error"], within) == ("invalid_scope", frozenset())
        return
    reached = allowed(Scope.parse(answer.json()["scope"]))
    assert reached == within
