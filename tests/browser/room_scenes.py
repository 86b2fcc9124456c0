"""The rooms of the console. What they are furnished with is made once for an issuer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from playwright.sync_api import expect

from issuer.clients import CLI_ID
from issuer.store import consents, exchange_counts, user_grants, users
from issuer.store.user_grants import SIGN_IN, Authentication, Place
from keys import SigningKey
from tests import clients
from tests.browser.stage import SCOPE, WORDS, Stage, new_user
from tests.browsers import inside
from tests.issuer.http.world import World, made
from verifier import Scope

_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
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
        "subject": "repo:engines/difference:ref:refs/heads/main",
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
    stage.come_in_as(there.admin)
    stage.open(path.format(**vars(there)))


def tokens_none(stage: Stage) -> None:
    stage.come_in()
    stage.open("/tokens")


def tokens(stage: Stage) -> None:
    enter(stage, "/tokens?state=active")


def tokens_none_like_that(stage: Stage) -> None:
    enter(stage, "/tokens?text=nothing+is+called+so")


def token(stage: Stage) -> None:
    enter(stage, "/tokens/{token}")


def token_not_deleted(stage: Stage) -> None:
    token(stage)
    stage.page.get_by_text("Delete this API token …").click()
    stage.fill(confirm="another name")
    stage.press("Delete this API token")


def token_new(stage: Stage) -> None:
    stage.come_in("app:*@*", "job:*@*")
    stage.open("/tokens/new?name=nightly+evaluation&preset-read=on&labels=model=base")


def token_new_wrong(stage: Stage) -> None:
    token_new(stage)
    stage.fill(labels="model")
    stage.page.get_by_label("Developer operations").check()
    stage.press("Make API token")


def token_new_counted(stage: Stage) -> None:
    furniture(stage.world)
    token_new(stage)
    with stage.page.expect_response("**/tokens/new"):
        stage.fill(labels="team=nlp")
    expect(stage.page.get_by_text("Reached now")).to_be_visible()


def token_new_broad(stage: Stage) -> None:
    token_new(stage)
    stage.fill(labels="")
    stage.page.get_by_label("Operator").check()
    stage.press("Make API token")


def token_shown(stage: Stage) -> None:
    token_new(stage)
    stage.press("Make API token")


def session(stage: Stage) -> None:
    stage.come_in("data:get@*")
    app = stage.app()
    with inside(stage.world.issuer) as there, there.write(f"user:{stage.user}") as tx:
        user = users.get(tx.session, stage.user).principal
        for client_id in (app.client_id, CLI_ID):
            user_grants.create(
                tx,
                SIGN_IN,
                user,
                client_id,
                scope=Scope.parse(WORDS),
                authentication=Authentication(tx.now, ("pwd",)),
                place=Place("2001:db8:85a3::8a2e:370:7334", _FIREFOX),
                expires_at=tx.now + 3600,
            )
    stage.open("/session")


def session_token(stage: Stage) -> None:
    stage.come_in("data:get@*")
    stage.open("/session")
    stage.press("Get a token")


def authorised_apps_none(stage: Stage) -> None:
    stage.come_in()
    stage.open("/authorised-apps")


def authorised_apps(stage: Stage) -> None:
    stage.come_in("data:get@*", "role:read@*")
    app = stage.app()
    with inside(stage.world.issuer) as there, there.write(f"user:{stage.user}") as tx:
        user = users.get(tx.session, stage.user).principal
        proved, place = Authentication(tx.now, ("pwd",)), Place("192.0.2.7", _FIREFOX)
        scope = Scope.parse(f"{SCOPE} {WORDS}")
        consents.give(tx, user, app.client_id, scope, authentication=proved, place=place)
    stage.open("/authorised-apps")


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
    stage.come_in_as(furniture(stage.world).admin)
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


def jobs(stage: Stage) -> None:
    enter(stage, "/jobs")


def job(stage: Stage) -> None:
    enter(stage, "/jobs/{job}")


def job_wrong(stage: Stage) -> None:
    job(stage)
    stage.fill(labels="stage")
    stage.press("Change the labels")


def apps(stage: Stage) -> None:
    enter(stage, "/apps")


def app_new(stage: Stage) -> None:
    enter(stage, "/new-app")


def app(stage: Stage) -> None:
    enter(stage, "/apps/{app}")


def app_stale(stage: Stage) -> None:
    """Somebody else wrote another description meanwhile."""
    name = stage.app(description="Notes", labels={"team": "nlp"}).name
    stage.come_in_as(furniture(stage.world).admin)
    stage.open(f"/apps/{name}")
    changed = {"description": "Notes of what was seen, and where", "labels": {"team": "vision"}}
    stage.world.admin.patch(f"/v1/apps/{name}", json=changed).raise_for_status()
    stage.fill(labels="team=nlp\nstage=test")
    stage.press("Save")


def app_secret(stage: Stage) -> None:
    app(stage)
    stage.press("Make a new secret")


def people(stage: Stage) -> None:
    enter(stage, "/users?prefix=ada-")


def user_new(stage: Stage) -> None:
    enter(stage, "/new-user")


def user(stage: Stage) -> None:
    enter(stage, "/users/{member}")


def user_invited(stage: Stage) -> None:
    user(stage)
    stage.press("Invite")


def hygiene(stage: Stage) -> None:
    enter(stage, "/hygiene?finding=broad")


def audit(stage: Stage) -> None:
    enter(stage, "/audit?target=role:{role}")


def audit_chain(stage: Stage) -> None:
    enter(stage, "/audit?action=user:create&check=chain")


def audit_wrong(stage: Stage) -> None:
    enter(stage, "/audit?since=yesterday")


def signing_keys(stage: Stage) -> None:
    enter(stage, "/signing-keys")


SCENES = (
    tokens_none,
    tokens,
    tokens_none_like_that,
    token,
    token_not_deleted,
    token_new,
    token_new_wrong,
    token_new_counted,
    token_new_broad,
    token_shown,
    session,
    session_token,
    authorised_apps_none,
    authorised_apps,
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
    jobs,
    job,
    job_wrong,
    apps,
    app_new,
    app,
    app_stale,
    app_secret,
    people,
    user_new,
    user,
    user_invited,
    hygiene,
    audit,
    audit_chain,
    audit_wrong,
    signing_keys,
)
