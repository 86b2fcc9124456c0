"""What ends a trust policy, or narrows its role, ends the tokens that were got by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.clients import claims
from tests.issuer.http.trust.asking import SUBJECT, ask, good, got, trust
from tests.issuer.http.world import World, made, until
from tests.outside_issuer import OutsideIssuer, outside_issuer


def token_of(world: World, cluster: OutsideIssuer, role: str) -> str:
    return str(got(ask(world, role, good(world, cluster)))["access_token"])


@pytest.fixture
def role(world: World, cluster: OutsideIssuer) -> str:
    name = world.role("data:get@*", "data:put@*")
    trust(world, name, issuer=cluster.url, subject=SUBJECT)
    return name


def test_a_policy_ends_with_its_tokens(world: World, cluster: OutsideIssuer, role: str) -> None:
    token = token_of(world, cluster, role)
    (policy,) = world.admin.get(f"/v1/roles/{role}/trust").json()["items"]
    for _ in range(2):
        answer = world.admin.delete(f"/v1/roles/{role}/trust/{policy['id']}")
        assert (answer.status_code, answer.json()) == (200, {"deleted": policy["id"]})
    assert not world.is_active(token)
    assert ask(world, role, good(world, cluster)).status_code == 400
    assert world.admin.get(f"/v1/roles/{role}/trust").json()["items"] == []


def test_a_policy_that_ends_while_keys_are_fetched_takes_nothing(world: World) -> None:
    role = world.role("data:get@*")
    with outside_issuer() as slow, ThreadPoolExecutor(1) as pool:
        policy = trust(world, role, issuer_pattern=slow.url, subject="s-1")
        slow.answers.clear()
        asking = pool.submit(ask, world, role, slow.token(world.url, "s-1"))
        until(lambda: bool(slow.asked))
        world.admin.delete(f"/v1/roles/{role}/trust/{policy['id']}").raise_for_status()
        slow.answers.set()
        refused = asking.result()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert "no trust policy" in refused.json()["error_description"]


def test_another_roles_policy_is_not_deleted(world: World, cluster: OutsideIssuer, role: str) -> None:
    (policy,) = world.admin.get(f"/v1/roles/{role}/trust").json()["items"]
    other = world.role()
    assert world.admin.delete(f"/v1/roles/{other}/trust/{policy['id']}").status_code == 200
    assert world.is_active(token_of(world, cluster, role))


def test_they_end_with_the_role(world: World, cluster: OutsideIssuer, role: str) -> None:
    token = token_of(world, cluster, role)
    assert world.admin.delete(f"/v1/roles/{role}").status_code == 200
    assert not world.is_active(token)
    assert ask(world, role, good(world, cluster)).status_code == 400


def test_what_the_role_loses_they_lose(world: World, cluster: OutsideIssuer, role: str) -> None:
    token = token_of(world, cluster, role)
    policies = world.admin.get(f"/v1/roles/{role}/policies").json()["items"]
    (number,) = (each["id"] for each in policies if each["permission"] == "data:put@*")
    assert world.admin.delete(f"/v1/roles/{role}/policies/{number}").status_code == 200
    assert not world.is_active(token)
    fresh = token_of(world, cluster, role)
    assert (claims(fresh)["scope"], world.is_active(fresh)) == ("data:get@*", True)


def test_what_the_role_gains_they_gain(world: World, cluster: OutsideIssuer, role: str) -> None:
    token = token_of(world, cluster, role)
    made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "app:query@*"}))
    assert "app:query@*" in claims(token_of(world, cluster, role))["scope"]
    assert world.is_active(token)
