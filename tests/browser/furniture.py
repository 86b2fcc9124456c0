"""What an administrator finds in the rooms, made once for an issuer: scenes that only look share it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from issuer.store import exchange_counts
from tests import clients
from tests.browser.stage import SCOPE, Stage, new_user
from tests.browsers import inside
from tests.issuer.http.world import World, made

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
"""A name that no line breaks in."""
_HOURS = (3, 0, 0, 14, 22, 9, 0, 1, 40, 35, 0, 6)
"""Exchanges, from the present hour back."""


@dataclass(frozen=True)
class Furniture:
    """What an administrator finds in the rooms."""

    admin: str
    role: str
    access: str
    job: str
    app: str
    member: str
    token: str
    """The id of an API token of the administrator's."""


@cache
def furniture(world: World) -> Furniture:
    """Shared by all scenes that only look at it."""
    admin, account = new_user(world, "*"), f"analytics-{uuid4().hex[:4]}"
    role = f"engines.{account}.nightly"
    made(world.admin.post("/v1/roles", json={"name": role}))
    for permission in (
        "data:get@urn:hourmark:data:engines.*",
        "app:query@*[stage=test]",
        "job:*@*[team=nlp]",
        f"data:get@{DIGEST * 2}",
    ):
        made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": permission}))
    key = world.key(role, name="evaluation in CI", scope="data:get@urn:hourmark:data:engines.difference")
    world.key(role, name="scheduler")
    labels = {"team": "nlp", "stage": "test", "model": "base"}
    job = made(
        world.admin.post("/v1/jobs", json={"role": role, "name": "train the difference", "labels": labels})
    )["id"]
    ended = made(world.admin.post("/v1/jobs", json={"role": role, "name": "evaluate it"}))["id"]
    world.admin.delete(f"/v1/jobs/{ended}").raise_for_status()
    app = f"field-notes-{account}"
    clients.register(
        world,
        SCOPE,
        name=app,
        host=f"{account}.apps.example",
        description="Notes of what was seen, and where",
        token_endpoint_auth_method="client_secret_basic",
    )
    trust = {
        "issuer": "https://ci.example",
        "subject": f"repo:engines/difference:ref:refs/heads/{DIGEST}",
        "claims": {"repository_id": "7"},
        "description": "Deployments of the difference engine",
    }
    made(world.admin.post(f"/v1/roles/{role}/trust", json=trust))
    member = new_user(world)
    made(world.admin.post(f"/v1/users/{member}/roles", json={"role": role}))
    owned = {"owner": f"user:{admin}", "presets": ["operator"], "description": "Answers on the intranet"}
    token = made(
        world.admin.post("/v1/tokens", json={**owned, "name": "chat client", "label_selectors": ["team=nlp"]})
    )["id"]
    made(world.admin.post("/v1/tokens", json={**owned, "name": "dashboard", "presets": ["read"]}))
    with inside(world.issuer) as there, there.write("hourmarkd") as tx:
        present = tx.now - tx.now % 3600
        hours = {(token, present - ago * 3600): number for ago, number in enumerate(_HOURS) if number}
        exchange_counts.add(tx.session, hours)
    return Furniture(admin, role, key.access, job, app, member, token)


def enter(stage: Stage, path: str) -> None:
    """As administrator; the names of what there is stand in braces."""
    there = furniture(stage.world)
    stage.look_in_as(there.admin)
    stage.open(path.format(**vars(there)))
