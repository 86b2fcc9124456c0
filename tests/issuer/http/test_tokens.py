"""API tokens: made for a purpose, narrower than their owner, good where they are presented, and ended."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select

from issuer import presets
from issuer.store.tables import Secret
from tests.browsers import inside, signed_in
from tests.clients import as_oneself, claims, command_line
from tests.issuer.http.cases import case
from tests.issuer.http.world import OTHER, SERVICES, World, bearer, made, open_world

DAY = 86400


@pytest.fixture
def ada(world: World) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    role = world.role("app:*@*", "job:*@*")
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": role}))
    return name


@pytest.fixture
def own(world: World, ada: str) -> dict[str, str]:
    """The credential that ada signed in with on the command line."""
    with signed_in(world.issuer, ada) as browser:
        return as_oneself(world, browser)


def create(world: World, own: dict[str, str], **members: Any) -> dict[str, Any]:
    asked = {"name": f"t-{uuid4().hex[:8]}", "presets": ["read"]} | members
    return dict(made(world.nobody.post("/v1/tokens", headers=own, json=asked)))


def test_a_person_makes_one_and_gets_tokens_with_it(world: World, ada: str, own: dict[str, str]) -> None:
    made_ = create(
        world, own, name="basetoken", presets=["operator"], label_selectors=["model=base"], description="CI"
    )
    assert made_["scope"] == "app:*@*[model=base] job:*@*[model=base]"
    assert (made_["owner"], made_["state"], made_["presets"]) == (f"user:{ada}", "active", ["operator"])
    assert made_["token"].startswith(made_["id"])
    assert made_["id"].startswith(made_["prefix"])
    ends = datetime.fromisoformat(made_["expires_at"]).astimezone(UTC).timestamp()
    assert ends - time.time() == pytest.approx(90 * DAY, abs=60)
    access, _, secret = made_["token"].partition(":")
    form = {"grant_type": "client_credentials"}
    token = world.nobody.post("/v1/token", data=form, auth=(access, secret)).json()["access_token"]
    said = claims(token)
    assert (said["sub"], said["client_id"], said["scope"]) == (f"user:{ada}", access, made_["scope"])
    assert said["roles"] == [], "it is narrower than any role"


@case("cs-once", "404", "none")
def test_nothing_has_it_again(world: World, ada: str, own: dict[str, str]) -> None:
    with signed_in(world.issuer, ada) as browser:
        browser.get("/tokens/new")
        form = {"name": "once", "preset-read": "on", "expires": "30"}
        shown = browser.send("/tokens/new", form)
        (made_,) = world.nobody.get("/v1/tokens", headers=own).json()["items"]
        secret = shown.text.partition(f"{made_['id']}:")[2][:38]
        assert (len(secret), shown.headers["cache-control"]) == (38, "no-store")
        for path in ("/tokens", "/tokens/new", f"/tokens/{made_['id']}"):
            assert secret not in browser.get(path).text
        assert browser.get(f"/tokens/{made_['id']}/secret").status_code == 404
    assert secret not in world.nobody.get(f"/v1/tokens/{made_['id']}", headers=own).text
    assert world.nobody.get(f"/v1/tokens/{made_['id']}/secret", headers=own).status_code == 404
    with inside(world.issuer) as there, there.database.read() as reading:
        rows = reading.exec(select(Secret).where(Secret.access == made_["id"])).all()
        assert [len(row.hash) for row in rows] == [32], "a keyed hash, and nothing else"


def test_it_is_listed_and_looked_at_without_its_secret(world: World, own: dict[str, str]) -> None:
    made_ = create(world, own)
    token = made_.pop("token")
    listed = world.nobody.get("/v1/tokens", headers=own)
    assert listed.json()["items"] == [made_]
    one = world.nobody.get(f"/v1/tokens/{made_['id']}", headers=own)
    assert one.json() == made_
    assert token.partition(":")[2] not in listed.text + one.text
    for state, count in (("active", 1), ("expired", 0)):
        assert len(world.nobody.get(f"/v1/tokens?state={state}", headers=own).json()["items"]) == count


def test_renewing_keeps_all_but_the_secret_and_ends_its_tokens(world: World, own: dict[str, str]) -> None:
    made_ = create(world, own)
    token = exchanged(world, made_["token"])
    renewed = world.nobody.post(f"/v1/tokens/{made_['id']}/renew", headers=own).json()
    assert {**renewed, "token": ""} == {**made_, "token": ""}
    assert renewed["token"] != made_["token"]
    assert not world.is_active(token)
    assert world.nobody.get("/v1/me", headers=bearer(made_["token"])).status_code == 401
    assert world.is_active(exchanged(world, renewed["token"]))


def test_deleted_it_is_gone_for_good_and_its_name_is_free(world: World, own: dict[str, str]) -> None:
    made_ = create(world, own, name="mine")
    path, token = f"/v1/tokens/{made_['id']}", exchanged(world, made_["token"])
    for _ in range(2):
        answer = world.nobody.delete(path, headers=own)
        assert (answer.status_code, answer.json()) == (200, {"deleted": made_["id"], "made": []})
    assert not world.is_active(token)
    assert world.nobody.get(path, headers=own).status_code == 404
    assert create(world, own, name="mine")["id"] != made_["id"]


def exchanged(world: World, token: str, **form: str) -> str:
    access, _, secret = token.partition(":")
    asked = {"grant_type": "client_credentials"} | form
    answer = world.nobody.post("/v1/token", data=asked, auth=(access, secret))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        ({"presets": []}, "presets", "at least 1"),
        ({"presets": ["admin"]}, "presets", "there are: read, operator"),
        ({"label_selectors": [""]}, "label_selectors", "empty"),
        ({"label_selectors": ["model"]}, "label_selectors", "name=value"),
        ({"label_selectors": ["a=1,a=2"]}, "label_selectors", "make a=1 and a=2 two selectors"),
        ({"presets": ["operator"], "job_roles": [""]}, "job_roles", "ORG.ACCOUNT.NAME"),
        ({"presets": ["operator"], "job_roles": ["org.x[a=b]"]}, "job_roles", "roles have none"),
        ({"job_roles": ["org.a.x"]}, "job_roles", "start no jobs"),
        ({"presets": ["operator"], "job_roles": ["x"]}, "job_roles", "is not a role name"),
        ({"presets": ["operator"], "resources": ["a"], "job_roles": ["o.a.x"]}, "job_roles", "leave jobs"),
        ({"resources": ["my-app[a=b]"]}, "resources", "label_selectors"),
        ({"presets": ["developer-operations"], "label_selectors": ["a=b"]}, "label_selectors", "no labels"),
        ({"resources": ["", "x"]}, "resources", "NAME*"),
        ({"resources": ["a@b"]}, "resources", "NAME*"),
        ({"audiences": ["https://elsewhere.example"]}, "audiences", "known: urn:"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "in the past"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at", "too late"),
        ({"never_expires": True}, "never_expires", "not allowed"),
        ({"never_expires": True, "expires_at": "2027-01-01T00:00:00Z"}, "never_expires", "one of them"),
        ({"owner": "ada"}, "owner", "user:NAME"),
        ({"label_selectors": ["hourmark/team=x"]}, "label_selectors", "hourmark/team is reserved"),
        ({"name": ""}, "name", "at least 1"),
        ({"name": "  "}, "name", "only white space"),
        ({"name": "\u200b\u00a0\u2060"}, "name", "only white space"),
        ({"name": "gpj\u202eexe"}, "name", "turns the direction"),
        ({"resources": [f"r{n}" for n in range(50)], "label_selectors": [f"a={n}" for n in range(50)]},
         "resources", "choose fewer"),
    ],
)  # fmt: skip
def test_what_makes_none(
    world: World, own: dict[str, str], members: dict[str, Any], field: str, says: str
) -> None:
    answer = world.nobody.post("/v1/tokens", headers=own, json={"name": "t", "presets": ["read"]} | members)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    (wrong,) = answer.json()["errors"]
    assert wrong["field"].startswith(field)
    assert says in wrong["message"]
    assert world.nobody.get("/v1/tokens", headers=own).json()["items"] == [], "nothing half-made"


def test_a_name_is_its_owners_once(world: World, own: dict[str, str]) -> None:
    create(world, own, name="twice")
    answer = world.nobody.post("/v1/tokens", headers=own, json={"name": "twice", "presets": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@case("cs-escalate", "403", "none")
def test_a_preset_wider_than_its_maker_says_what_is_missing(
    world: World, ada: str, own: dict[str, str]
) -> None:
    asked = {"name": "wide", "presets": ["developer-operations"]}
    answer = world.nobody.post("/v1/tokens", headers=own, json=asked)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert answer.json()["missing"] == "data:*@* repository:*@*"
    with signed_in(world.issuer, ada) as browser:
        browser.get("/tokens/new")
        form = {"name": "wide", "preset-developer-operations": "on", "expires": "30"}
        asked_again = browser.send("/tokens/new", form)
        assert "This token reaches everything of its kind." in asked_again.text
        assert (
            browser.send(
                "/tokens/new", form | {"broad": "app:*@* data:*@* job:*@* repository:*@*"}
            ).status_code
            == 403
        )
    assert world.nobody.get("/v1/tokens", headers=own).json()["items"] == []


def test_it_starts_jobs_as_the_roles_that_it_names(world: World, own: dict[str, str]) -> None:
    train, other = world.role("data:get@*"), world.role("data:get@*")
    asked = {"name": "launcher", "presets": ["operator"], "job_roles": [train]}
    refused = world.nobody.post("/v1/tokens", headers=own, json=asked)
    assert (refused.status_code, refused.json()["missing"]) == (403, f"role:assume@{train}")
    asked["label_selectors"] = ["team=nlp"]
    launcher = made(world.admin.post("/v1/tokens", json=asked | {"name": f"launcher-{train}"}))
    assert launcher["scope"] == f"app:*@*[team=nlp] job:*@*[team=nlp] role:assume@{train}"
    assert launcher["job_roles"] == [train]
    mine = bearer(launcher["token"])
    job = made(world.nobody.post("/v1/jobs", headers=mine, json={"role": train}))
    assert (job["role"], job["labels"]["team"]) == (train, "nlp")
    answer = world.nobody.get("/v1/token", headers=bearer(job["ticket"]))
    assert claims(answer.json()["access_token"])["sub"] == f"role:{train}"
    assert world.nobody.post("/v1/jobs", headers=mine, json={"role": other}).status_code == 403
    assert world.nobody.delete(f"/v1/jobs/{job['id']}", headers=mine).status_code == 200


def test_a_role_for_jobs_is_no_role_for_an_app(world: World) -> None:
    """An app has a secret without an end; a job ends."""
    train = world.role("data:get@*")
    asked = {"name": f"launcher-{train}", "presets": ["operator"], "job_roles": [train]}
    launcher = bearer(made(world.admin.post("/v1/tokens", json=asked))["token"])
    app = {"name": f"a{uuid4().hex[:12]}", "role": train, "scope": "data:get@*", "redirect_uris": []}
    refused = world.nobody.post("/v1/apps", headers=launcher, json=app)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert f"role-key:create@{train}" in refused.text


def test_one_for_a_service_makes_and_changes_nothing_for_more(tmp_path: Path) -> None:
    whole = {"whole": {"title": "x", "description": "x", "permissions": ["*"]}}
    with open_world(tmp_path, HOURMARKD_PRESETS=json.dumps(whole)) as world:

        def token(*audiences: str) -> dict[str, str]:
            asked = {"name": f"t{uuid4().hex[:8]}", "presets": ["whole"], "audiences": audiences}
            return dict(made(world.admin.post("/v1/tokens", json=asked)))

        confined, free, beside, same = token(world.url), token(), token(world.url, OTHER), token(world.url)
        app = {"name": "front", "scope": "data:get@*", "redirect_uris": ["https://a.test/cb"]}
        made(world.admin.post("/v1/apps", json=app))
        with world.issuer.http(confined["token"]) as http:
            for method, path, body in (
                ("POST", f"/v1/tokens/{free['id']}/renew", {}),
                ("POST", f"/v1/tokens/{beside['id']}/renew", {}),
                ("POST", "/v1/apps", app | {"name": "another"}),
                ("POST", "/v1/jobs", {"role": world.role("data:get@*")}),
                ("PATCH", "/v1/apps/front", {"redirect_uris": ["https://evil.test/cb"]}),
            ):
                refused = http.request(method, path, json=body)
                assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted"), path
            assert http.post(f"/v1/tokens/{same['id']}/renew", json={}).status_code == 200
            assert http.patch("/v1/apps/front", json={"description": "x"}).status_code == 200


def test_what_its_owner_loses_it_loses(world: World, ada: str, own: dict[str, str]) -> None:
    token = create(world, own, presets=["operator"])["token"]
    (role,) = world.admin.get(f"/v1/users/{ada}/roles").json()["items"]
    assert world.admin.delete(f"/v1/users/{ada}/roles/{role['role']}").status_code == 200
    access, _, secret = token.partition(":")
    form = {"grant_type": "client_credentials"}
    assert world.nobody.post("/v1/token", data=form, auth=(access, secret)).json()["error"] == "invalid_scope"


def test_one_for_a_service_is_refused_at_another(world: World, own: dict[str, str]) -> None:
    token = create(world, own, audiences=[OTHER])["token"]
    access, _, secret = token.partition(":")
    assert claims(exchanged(world, token))["aud"] == OTHER, "without asking"
    assert claims(exchanged(world, token, resource=OTHER))["aud"] == OTHER
    for elsewhere in (SERVICES, world.url):
        form = {"grant_type": "client_credentials", "resource": elsewhere}
        answer = world.nobody.post("/v1/token", data=form, auth=(access, secret))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
    answer = world.nobody.get("/v1/tokens", headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200
    asked = {"name": "introspects", "presets": ["read"], "audiences": [OTHER]}
    wide = made(world.admin.post("/v1/tokens", json=asked))["token"]
    access, _, secret = wide.partition(":")
    answer = world.nobody.post("/v1/introspect", data={"token": "x"}, auth=(access, secret))
    assert answer.status_code == 401


def test_a_program_does_not_manage_its_owners_tokens(world: World, own: dict[str, str]) -> None:
    """It would make itself one that lives on, or end the others."""
    mine, other = create(world, own, presets=["operator"]), create(world, own)
    for headers in (bearer(mine["token"]), bearer(exchanged(world, mine["token"], resource=world.url))):
        asked = {"name": "more", "presets": ["read"]}
        answers = (
            world.nobody.post("/v1/tokens", headers=headers, json=asked),
            world.nobody.get("/v1/tokens", headers=headers),
            world.nobody.get(f"/v1/tokens/{other['id']}", headers=headers),
            world.nobody.post(f"/v1/tokens/{other['id']}/renew", headers=headers),
            world.nobody.delete(f"/v1/tokens/{other['id']}", headers=headers),
        )
        assert {answer.status_code for answer in answers} == {403}
    assert world.nobody.get("/v1/me", headers=bearer(other["token"])).status_code == 200


def test_a_users_narrowed_token_is_not_the_user(world: World, ada: str) -> None:
    with signed_in(world.issuer, ada) as browser:
        tokens = command_line(world).sign_in(browser, scope="openid app:query@*", resource=world.url)
    narrow = bearer(tokens["access_token"])
    asked = {"name": "more", "presets": ["protected-endpoint"]}
    assert world.nobody.post("/v1/tokens", headers=narrow, json=asked).status_code == 403
    for path in ("/v1/tokens", "/v1/consents", f"/v1/users/{ada}/sign-ins"):
        assert world.nobody.get(path, headers=narrow).status_code == 403


def test_who_is_given_a_role_meanwhile_is_the_same_user(world: World, ada: str, own: dict[str, str]) -> None:
    time.sleep(1)  # what counts is the second
    made(world.admin.post(f"/v1/users/{ada}/roles", json={"role": world.role("data:get@*")}))
    assert world.nobody.get("/v1/tokens", headers=own).status_code == 200


def test_one_without_an_end_where_the_settings_allow_it(tmp_path: Any) -> None:
    with open_world(tmp_path, HOURMARKD_API_TOKENS_WITHOUT_EXPIRY="true") as there:
        asked = {"name": "for-ever", "presets": ["read"], "never_expires": True}
        assert made(there.admin.post("/v1/tokens", json=asked))["expires_at"] is None


def test_an_operator_may_read_and_a_developer_operate() -> None:
    scopes = {name: presets.scope_of(presets.defaults(), [name], ["a"], []) for name in presets.defaults()}
    assert scopes["protected-endpoint"] <= scopes["read"] <= scopes["operator"]
    assert scopes["operator"] <= scopes["developer-operations"]


def test_presets_say_what_they_mean(world: World) -> None:
    items = world.nobody.get("/v1/presets").json()["items"]
    assert [item["name"] for item in items] == [
        *("read", "operator", "developer-operations", "protected-endpoint"),
    ]
    assert items[0] == {
        "name": "read",
        "title": "Read",
        "description": "query what jobs and apps serve",
        "permissions": ["app:query@*", "job:query@*"],
    }
