"""Who makes trust policies, which are never made, and which say what is doubtful about them."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.issuer.http.operations import NOBODY
from tests.issuer.http.trust.asking import SUBJECT, good, trust
from tests.issuer.http.world import World, bearer, made
from tests.outside_issuer import DISCOVERY, OutsideIssuer, outside_issuer


@pytest.mark.parametrize(
    ("clauses", "field", "says"),
    [
        ({"issuer": "https://ci.example"}, "subject", "it is missing"),
        ({"subject": "s"}, "issuer", "it is missing"),
        ({"issuer": "https://ci.example", "subject": "s", "audience": ""}, "audience", "it is missing"),
        ({"issuer": "https://10.0.0.1", "subject": "s"}, "issuer", "no public address"),
        ({"issuer": "https://[::1]", "subject": "s"}, "issuer", "no public address"),
        ({"issuer": "https://167772161", "subject": "s"}, "issuer", "four decimal numbers"),
        ({"issuer": "https://ci.example", "subject_pattern": "role:*"}, "subject", "names of others"),
        ({"issuer": "http://ci.example", "subject": "s"}, "issuer", "https"),
        ({"issuer_pattern": "https://*.example", "subject": "s"}, "issuer", "in its host"),
        ({"issuer": "https://ci.example", "subject_pattern": "a|b"}, "subject", "no choice"),
        ({"issuer": "https://ci.example", "subject_pattern": "*"}, "subject", "every subject"),
        ({"issuer": "https://ci.example", "subject_pattern": "a**"}, "subject", "one * at most"),
        ({"issuer": "https://a.example", "issuer_pattern": "https://a.example/*"}, "issuer", "not both"),
        ({"issuer": "https://a.example", "subject": "s", "subject_pattern": "s*"}, "subject", "not both"),
        ({"issuer": "https://a.example", "subject": "s", "claims": {"a": "b"}, "claim_patterns": {"a": "b*"}},
         "claim_patterns", "one of both"),
        ({"issuer": "https://a.example", "subject": "s", "claims": {"": "b"}}, "claims", "at least 1"),
        ({"issuer": "https://a.example", "subject": "s", "claims": {"a": 7}}, "claims", "text"),
        ({"issuer": "https://a.example", "subject": "s", "secret": "x"}, "secret", ""),
        ({"issuer": "https://a.example", "subject": "s", "description": "a\nb"}, "description", ""),
    ],
)  # fmt: skip
def test_what_is_never_made(world: World, clauses: dict[str, Any], field: str, says: str) -> None:
    role = world.role()
    answer = world.admin.post(f"/v1/roles/{role}/trust", json=clauses)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    wrong = answer.json()["errors"][0]
    assert wrong["field"].startswith(field)
    assert says in wrong["message"]
    assert world.admin.get(f"/v1/roles/{role}/trust").json()["items"] == []


def test_one_whose_keys_lead_inside_is_not_made(world: World) -> None:
    """Seen when it is asked, before anything is made."""
    role = world.role()
    path = f"/v1/roles/{role}/trust"
    with outside_issuer() as inside:
        inside.documents[DISCOVERY] = json.dumps(
            {"issuer": inside.url, "jwks_uri": "https://10.0.0.1/"}
        ).encode()
        clauses = {"issuer": inside.url, "subject": "s-1"}
        refused = world.admin.post(path, json=clauses)
        assert (refused.status_code, "10.0.0.1 is no public" in refused.json()["detail"]) == (422, True)
        (finding,) = world.admin.post(f"{path}/lint", json=clauses).json()["findings"]
    assert (finding["level"], finding["clause"]) == ("danger", "issuer")
    assert world.admin.get(path).json()["items"] == []


def test_a_doubtful_one_is_made_and_says_so(world: World, cluster: OutsideIssuer) -> None:
    role = world.role()
    clauses = {"issuer": cluster.url, "subject": SUBJECT, "description": "nightly"}
    policy = trust(world, role, **clauses)
    (finding,) = policy["findings"]
    assert (finding["level"], finding["clause"]) == ("doubt", "subject")
    assert "serviceaccount/uid" in finding["instead"]
    assert (policy["audience"], policy["description"]) == (world.url, "nightly")
    assert world.admin.get(f"/v1/roles/{role}/trust").json() == {"items": [policy], "next_cursor": None}
    again = world.admin.post(f"/v1/roles/{role}/trust", json=clauses)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_draft_is_looked_over_without_being_made(world: World, cluster: OutsideIssuer) -> None:
    role = world.role()

    def lint(**clauses: Any) -> list[tuple[str, str]]:
        answer = world.admin.post(f"/v1/roles/{role}/trust/lint", json=clauses)
        assert answer.status_code == 200, answer.text
        return [(finding["level"], finding["clause"]) for finding in answer.json()["findings"]]

    assert lint() == [("danger", "issuer"), ("danger", "subject")]
    assert lint(issuer=cluster.url, subject="00u1") == []
    crossing = [("danger", "claim ref"), ("danger", "subject")]
    assert lint(subject_pattern="repo:acme/**", claim_patterns={"ref": "*a*"}) == crossing
    assert lint(issuer=NOBODY, subject="00u1") == [("doubt", "issuer")]
    assert lint(issuer=cluster.url, subject_pattern="repo:*") == [("danger", "subject"), ("doubt", "subject")]
    assert world.admin.get(f"/v1/roles/{role}/trust").json()["items"] == []


def test_a_role_has_so_many_and_they_are_paged(world: World) -> None:
    role = world.role()
    path = f"/v1/roles/{role}/trust"
    for number in range(50):
        made(
            world.admin.post(path, json={"issuer_pattern": "https://ci.example/*", "subject": f"s-{number}"})
        )
    answer = world.admin.post(path, json={"issuer_pattern": "https://ci.example/*", "subject": "s"})
    assert (answer.status_code, "50 trust policies" in answer.json()["detail"]) == (409, True)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.admin.get(path, params={"limit": 20, "cursor": cursor}).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert len(set(seen)) == len(seen) == 50


def test_of_a_role_that_is_not_there(world: World, cluster: OutsideIssuer) -> None:
    gone = f"/v1/roles/org.tests.never{uuid4().hex[:8]}/trust"
    clauses = {"issuer": cluster.url, "subject": "s"}
    token = {"token": good(world, cluster)}
    for answer in (
        world.admin.get(gone),
        world.admin.post(gone, json=clauses),
        world.admin.post(f"{gone}/test", json=token),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert world.admin.delete(f"{gone}/trust_x").status_code == 200


@pytest.mark.parametrize("missing", ["role-trust:create", "role:assume"])
def test_who_may_not_assume_the_role_lets_nobody_else(
    world: World, cluster: OutsideIssuer, missing: str
) -> None:
    role = world.role("data:get@*")
    needed = {f"role-trust:create@{role}", f"role:assume@{role}", f"role:get@{role}"}
    maker = world.holder(*needed - {f"{missing}@{role}"}, "data:*@*")
    clauses = {"issuer": cluster.url, "subject": "s-1"}
    refused = world.nobody.post(f"/v1/roles/{role}/trust", headers=bearer(maker.text), json=clauses)
    assert (refused.status_code, f"{missing}@{role}" in refused.json()["detail"]) == (403, True)
    assert world.admin.get(f"/v1/roles/{role}/trust").json()["items"] == []


def test_who_made_one_is_kept_and_told_when_the_maker_ends(world: World, cluster: OutsideIssuer) -> None:
    role = world.role("data:get@*")
    maker = world.holder(f"role-trust:create@{role}", f"role:assume@{role}")
    clauses = {"issuer": cluster.url, "subject": "s-1"}
    policy = made(world.nobody.post(f"/v1/roles/{role}/trust", headers=bearer(maker.text), json=clauses))
    assert policy["created_by"] == maker.access
    gone = world.admin.delete(f"/v1/roles/{maker.role}/keys/{maker.access}").json()
    assert gone["made"] == [policy["id"]]
    rows = world.admin.get("/v1/audit", params={"target": f"role:{role}"}).json()["items"]
    (row,) = (each for each in rows if each["action"] == "role-trust:create")
    assert row["actor"] == maker.access
    assert policy["id"] in json.dumps(row)
