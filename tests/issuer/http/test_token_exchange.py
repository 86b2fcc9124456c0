"""Token exchange (RFC 8693): narrower, or on behalf of a user who agreed; never more, never longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from issuer import rfc3339
from issuer.clients import CLI_ID
from issuer.store import signing_keys
from tests.browsers import Browser, inside, signed_in
from tests.clients import App, claims, register
from tests.issuer.http.cases import case
from tests.issuer.http.test_device import GRANT as DEVICE_GRANT
from tests.issuer.http.test_device import begin, decide
from tests.issuer.http.world import OTHER, SERVICES, Key, World, bearer, made
from verifier.claims import MAX_ACTORS, TYP

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
def ada(world: World) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("data:*@*")}))
    return name


@pytest.fixture
def browser(world: World, ada: str) -> Iterator[Browser]:
    with signed_in(world.issuer, ada) as opened:
        yield opened


@pytest.fixture
def front(world: World) -> App:
    """A client at which users sign in."""
    return register(world, "data:get@* data:put@*")


def exchange(asker: App, token: str, **form: str) -> tuple[int, dict[str, Any]]:
    asked = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS_TOKEN} | form
    answer = asker.ask(asked)
    return answer.status_code, dict(answer.json())


def backend(world: World, **members: Any) -> App:
    return register(world, "data:get@*", token_endpoint_auth_method="client_secret_basic", **members)


def test_a_client_narrows_its_own_token(front: App, browser: Browser) -> None:
    whole = front.sign_in(browser, scope="data:get@* data:put@*")["access_token"]
    status, answer = exchange(front, whole, scope="data:get@x", audience=SERVICES)
    assert (status, answer["scope"], answer["issued_token_type"]) == (200, "data:get@x", ACCESS_TOKEN)
    before, after = claims(whole), claims(answer["access_token"])
    assert after["exp"] <= before["exp"]
    assert after["status"] == before["status"], "it ends with what it came from"
    assert (after["sub"], after["act"]) == (before["sub"], before["act"])
    status, answer = exchange(front, answer["access_token"], scope="data:put@x")
    assert (status, answer["error"]) == (400, "invalid_scope"), "nothing comes back"


@case("ob-scope", "400", "invalid_scope")
def test_an_app_acts_for_a_user_who_agreed(world: World, front: App, browser: Browser, ada: str) -> None:
    users_token = front.sign_in(browser, scope="data:get@* data:put@*")["access_token"]
    app = backend(world)
    status, answer = exchange(app, users_token)
    assert (status, answer["error"]) == (400, "invalid_grant"), "nobody has agreed yet"
    app.code(browser)
    status, answer = exchange(app, users_token)
    assert (status, answer["scope"]) == (200, "data:get@*")
    said = claims(answer["access_token"])
    assert (said["sub"], said["client_id"]) == (f"user:{ada}", app.client_id)
    assert said["act"] == {"sub": app.client_id, "act": {"sub": front.client_id}}
    status, answer = exchange(app, users_token, scope="data:put@x")
    assert (status, answer["error"]) == (400, "invalid_scope"), "it may get, not put"
    status, answer = exchange(app, users_token, audience="https://unknown.example")
    assert (status, answer["error"]) == (400, "invalid_target")


@case("ob-revoked", "400", "invalid_grant")
def test_withdrawing_ends_what_was_issued(world: World, front: App, browser: Browser) -> None:
    users_token = front.sign_in(browser)["access_token"]
    app = backend(world)
    app.code(browser)
    _, answer = exchange(app, users_token)
    acting = answer["access_token"]
    assert world.nobody.get("/v1/me", headers=bearer(acting)).status_code == 200
    withdraw = f"Withdraw what {app.name} may do"
    assert browser.press(withdraw, on="/authorised-apps").status_code == 303
    assert world.nobody.get("/v1/me", headers=bearer(acting)).status_code == 401
    status, answer = exchange(app, users_token)
    assert (status, answer["error"]) == (400, "invalid_grant")


def test_a_job_acts_with_its_ticket_until_it_ends(world: World, front: App, browser: Browser) -> None:
    role = world.role("job:get@*")
    app = backend(world, role=role)
    app.code(browser)
    users_token = front.sign_in(browser)["access_token"]
    job = made(world.admin.post("/v1/jobs", json={"role": role, "labels": {"team": "nlp"}}))
    asked = {"grant_type": GRANT, "subject_token": users_token, "subject_token_type": ACCESS_TOKEN}
    answer = world.nobody.post("/v1/token", data=asked, headers=bearer(job["ticket"]))
    assert answer.status_code == 200, answer.text
    acting = answer.json()["access_token"]
    assert claims(acting)["act"]["sub"] == f"role:{role}"
    assert world.is_active(acting)
    assert world.admin.delete(f"/v1/jobs/{job['id']}").status_code == 200
    assert not world.is_active(acting)
    again = world.nobody.post("/v1/token", data=asked, headers=bearer(job["ticket"]))
    assert again.status_code == 401


def test_a_job_narrows_its_own_token_and_stays_the_job(world: World) -> None:
    job = made(world.admin.post("/v1/jobs", json={"role": world.role("data:*@*"), "labels": {"team": "nlp"}}))
    ticket = bearer(job["ticket"])
    own = world.nobody.get("/v1/token", headers=ticket).json()["access_token"]
    asked = {"grant_type": GRANT, "subject_token": own, "subject_token_type": ACCESS_TOKEN}
    answer = world.nobody.post("/v1/token", data=asked | {"scope": "data:get@a"}, headers=ticket).json()
    before, after = claims(own), claims(answer["access_token"])
    assert answer["scope"] == "data:get@a"
    assert (after["job"], after["labels"], after["status"]) == (job["id"], before["labels"], before["status"])


def test_a_role_key_acts_as_the_app_that_its_role_is(world: World, front: App, browser: Browser) -> None:
    role = world.role("job:get@*")
    key: Key = world.key(role)
    app = backend(world, role=role)
    app.code(browser)
    users_token = front.sign_in(browser)["access_token"]
    asked = {"grant_type": GRANT, "subject_token": users_token, "subject_token_type": ACCESS_TOKEN}
    answer = world.nobody.post("/v1/token", data=asked, auth=key.basic)
    assert answer.status_code == 200, answer.text
    said = claims(answer.json()["access_token"])
    assert (said["client_id"], said["act"]["sub"]) == (app.client_id, f"role:{role}")
    stranger = world.holder("job:get@*")
    answer = world.nobody.post("/v1/token", data=asked, auth=stranger.basic)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_role_key_narrows_its_own_token(world: World) -> None:
    key = world.holder("data:get@*", "data:put@*")
    asked = {
        "grant_type": GRANT,
        "subject_token": world.token(key),
        "subject_token_type": ACCESS_TOKEN,
        "scope": "data:get@a",
    }
    answer = world.nobody.post("/v1/token", data=asked, auth=key.basic)
    assert (answer.status_code, answer.json()["scope"]) == (200, "data:get@a")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": "x.y.z"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"actor_token": "x.y.z", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "x.y.z"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"scope": "job:get@*"}, "invalid_scope"),
        ({"cnf": "x"}, "invalid_request"),
    ],
)
def test_what_cannot_be_exchanged(front: App, browser: Browser, changes: dict[str, str], error: str) -> None:
    token = front.sign_in(browser)["access_token"]
    given = dict(changes)
    status, answer = exchange(front, given.pop("subject_token", token), **given)
    assert (status, answer["error"]) == (400, error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a-word", "subject_token: is no JWT of this issuer"),
        ("hmk_0123456789abcdef:x", "is a role key: get a token for it first"),
        ("hmj_x", "is a job's ticket: GET /v1/token"),
    ],
)
def test_what_is_no_token_is_called_by_its_name(front: App, text: str, says: str) -> None:
    status, answer = exchange(front, text)
    assert (status, answer["error"], says in answer["error_description"]) == (400, "invalid_request", True)


def test_an_id_token_is_no_access_token(world: World, front: App, browser: Browser) -> None:
    tokens = front.sign_in(browser, scope="openid data:get@*")
    status, answer = exchange(front, tokens["id_token"])
    assert (status, answer["error"]) == (400, "invalid_request")
    assert world.nobody.get("/v1/me", headers=bearer(tokens["id_token"])).status_code == 401


@pytest.mark.parametrize(
    ("is_public", "had", "asked", "gets"),
    [
        (True, OTHER, None, OTHER),
        (True, OTHER, OTHER, OTHER),
        (True, OTHER, SERVICES, "invalid_target"),
        (True, OTHER, "", "invalid_target"),
        (True, SERVICES, "", "invalid_target"),
        (True, "", OTHER, OTHER),
        (False, OTHER, None, OTHER),
        (False, OTHER, SERVICES, SERVICES),
        (False, OTHER, "", ""),
    ],
)
def test_nobody_moves_a_public_clients_token_to_another_service(
    world: World, browser: Browser, *, is_public: bool, had: str, asked: str | None, gets: str
) -> None:
    """Whoever was given it could: all that its client shows is its name. "" is the issuer."""
    method = "none" if is_public else "client_secret_basic"
    client = register(world, token_endpoint_auth_method=method)
    token = client.sign_in(browser, resource=had or world.url)["access_token"]
    status, answer = exchange(client, token, **({} if asked is None else {"audience": asked or world.url}))
    if gets == "invalid_target":
        assert (status, answer["error"]) == (400, gets)
    else:
        assert claims(answer["access_token"])["aud"] == (gets or world.url)


def test_the_command_lines_token_is_for_its_service_alone(world: World, browser: Browser) -> None:
    """Its client may all that the user may, also at the issuer, and everybody knows its name."""
    command_line = App(world, "the command line", CLI_ID, None)
    begun = begin(command_line, resource=OTHER)
    decide(browser, begun["user_code"], "allow")
    polled = command_line.ask({"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]}).json()
    status, answer = exchange(command_line, polled["access_token"], audience=world.url)
    assert (status, answer["error"]) == (400, "invalid_target")


def test_a_chain_of_actors_ends_before_nobody_reads_it(world: World, browser: Browser) -> None:
    apps = [backend(world), backend(world)]
    for app in apps:
        app.code(browser)
    token = apps[0].sign_in(browser)["access_token"]
    for hop in range(1, MAX_ACTORS):
        status, answer = exchange(apps[hop % 2], token)
        assert status == 200, answer
        token = answer["access_token"]
        assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200
    status, answer = exchange(apps[MAX_ACTORS % 2], token)
    assert (status, answer["error"]) == (400, "invalid_request")
    assert "actors" in answer["error_description"]


def resigned(world: World, token: str, **changes: object) -> str:
    """As the issuer would have signed it."""
    with inside(world.issuer) as there, there.database.read() as reading:
        signer = next(iter(signing_keys.open_keys(reading, there.kek).values()))
    return signer.sign(orjson.dumps(claims(token) | changes), TYP)


def test_what_comes_out_ends_with_what_went_in(world: World, front: App, browser: Browser) -> None:
    app = backend(world)
    app.code(browser)
    whole = front.sign_in(browser)["access_token"]
    end = claims(whole)["exp"] - 1800
    old = resigned(world, whole, exp=end)
    for asker in (front, app):
        status, answer = exchange(asker, old)
        assert (status, claims(answer["access_token"])["exp"]) == (200, end)
        assert answer["expires_in"] <= 1800


def test_an_app_gets_no_more_than_the_subject_token_has(world: World, front: App, browser: Browser) -> None:
    app = backend(world)
    app.code(browser, scope="data:get@*")
    narrow = front.sign_in(browser, scope="data:get@x")["access_token"]
    for asked in ({}, {"scope": "data:get@*"}):
        status, answer = exchange(app, narrow, **asked)
        assert (status, answer["scope"]) == (200, "data:get@x")


def test_an_actor_token_is_of_whoever_asks(world: World, front: App, browser: Browser) -> None:
    app, other = backend(world), backend(world)
    app.code(browser)
    token = front.sign_in(browser)["access_token"]
    for asker, status in ((app, 200), (other, 400)):
        actor = asker.sign_in(browser)["access_token"]
        assert exchange(app, token, actor_token=actor, actor_token_type=ACCESS_TOKEN)[0] == status


def test_what_a_key_of_the_apps_role_was_made_for_bounds_what_it_gets(
    world: World, front: App, browser: Browser
) -> None:
    role = world.role("app:query@*", "data:get@*")
    app = backend(world, role=role)
    app.code(browser)
    token = front.sign_in(browser)["access_token"]

    def ask(credential: str, **form: str) -> tuple[int, dict[str, Any]]:
        asked = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS_TOKEN} | form
        access, _, secret = credential.partition(":")
        answer = world.nobody.post("/v1/token", data=asked, auth=(access, secret))
        return answer.status_code, answer.json()

    asked = {"name": "narrow", "presets": ["protected-endpoint"], "owner": f"role:{role}"}
    narrow = made(world.admin.post("/v1/tokens", json=asked))["token"]
    status, answer = ask(narrow)
    assert (status, answer["error"]) == (400, "unauthorized_client")
    ends = int(time.time()) + 60
    short = world.key(role, expires_at=rfc3339.write(ends))
    status, answer = ask(short.text)
    assert (status, claims(answer["access_token"])["exp"]) == (200, ends)


def test_a_token_may_say_who_alone_acts_with_it(world: World, front: App, browser: Browser) -> None:
    named, other = backend(world), backend(world)
    for app in (named, other):
        app.code(browser)
    token = front.sign_in(browser)["access_token"]
    told = resigned(world, token, may_act={"sub": named.client_id})
    status, narrower = exchange(front, told, scope="data:get@x")
    assert (status, claims(narrower["access_token"])["may_act"]) == (200, {"sub": named.client_id})
    for kept in (told, narrower["access_token"]):
        assert exchange(named, kept)[0] == 200
        status, answer = exchange(other, kept)
        assert (status, answer["error"]) == (400, "invalid_request")
        assert "may_act" in answer["error_description"]


def test_a_public_app_acts_for_nobody(world: World, front: App, browser: Browser) -> None:
    app = register(world)
    app.code(browser)
    status, answer = exchange(app, front.sign_in(browser)["access_token"])
    assert (status, answer["error"]) == (400, "unauthorized_client")
