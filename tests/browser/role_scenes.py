"""Roles, their keys, and outside identities that become them."""

from __future__ import annotations

import json
import time

from keys import SigningKey
from tests.browser.furniture import enter, furniture
from tests.browser.stage import Stage
from tests.issuer.http.world import made


def roles(stage: Stage) -> None:
    enter(stage, "/roles?prefix=engines.")


def role_new(stage: Stage) -> None:
    enter(stage, "/new-role")


def role_new_wrong(stage: Stage) -> None:
    role_new(stage)
    stage.fill(name="nightly")
    stage.press("Make role")


def role(stage: Stage) -> None:
    enter(stage, "/roles/{role}")


def role_may(stage: Stage) -> None:
    enter(stage, "/roles/{role}?may=data:get@urn:hourmark:data:engines.difference")


def role_may_not(stage: Stage) -> None:
    enter(stage, "/roles/{role}?may=app:query@chat[stage=live]")


def role_stale(stage: Stage) -> None:
    """Somebody else added a policy meanwhile."""
    role = stage.world.role("data:get@my-set")
    stage.look_in_as(furniture(stage.world).admin)
    stage.open(f"/roles/{role}")
    made(stage.world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:put@my-set"}))
    stage.fill(permission="app:query@my-app")
    stage.press("Add policy")


def trust_new(stage: Stage) -> None:
    enter(stage, "/roles/{role}/trust/new")
    stage.fill(issuer="https://ci.example", subject="repo:engines/difference:ref:refs/heads/main")
    stage.press("Look it over first")


def trust_new_wrong(stage: Stage) -> None:
    enter(stage, "/roles/{role}/trust/new")
    stage.fill(issuer="https://ci.example", subject="*")
    stage.page.get_by_label("It is a pattern").last.check()
    stage.press("Trust it")


def trust_test(stage: Stage) -> None:
    enter(stage, "/roles/{role}/trust/test")
    key = SigningKey.generate("ES256")
    now = int(time.time())
    said = {"iss": "https://ci.example", "sub": "repo:engines/analysis:ref:refs/heads/main"}
    stage.fill(token=key.sign(json.dumps(said | {"aud": "x", "iat": now, "exp": now + 600}).encode(), "JWT"))
    stage.press("Try it")


def key_new(stage: Stage) -> None:
    enter(stage, "/roles/{role}/keys/new")


def key(stage: Stage) -> None:
    enter(stage, "/roles/{role}/keys/{access}")


SCENES = (
    roles,
    role_new,
    role_new_wrong,
    role,
    role_may,
    role_may_not,
    role_stale,
    trust_new,
    trust_new_wrong,
    trust_test,
    key_new,
    key,
)
