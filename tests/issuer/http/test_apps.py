"""Apps over HTTP: what can be registered, who may do what, what changing and deleting ends."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from issuer.authentication.callers import Caller
from issuer.denials import Denial
from keys.signing_key import SigningKey
from tests.browsers import Browser, signed_in
from tests.clients import claims, command_line, register, returned
from tests.issuer.http.world import World, bearer, made
from verifier import Scope


def new_name() -> str:
    return f"app-{uuid4().hex[:12]}"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"name": "no name"}, "name"),
        ({"redirect_uris": ["http://app.example/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["https://app.example/cb#x"]}, "redirect_uris"),
        ({"redirect_uris": ["https://user@app.example/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["https://*.example/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": ["data:text/html,x"]}, "redirect_uris"),
        ({"redirect_uris": [f"https://app.example/{n}" for n in range(21)]}, "redirect_uris"),
        ({"scope": "admin"}, "scope"),
        ({"scope": "data:get@@"}, "scope"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "body"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"host": "app.example/path"}, "host"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_registered(world: World, members: dict[str, Any], field: str) -> None:
    answer = world.admin.post("/v1/apps", json={"name": new_name(), **members})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert answer.json()["errors"][0]["field"].startswith(field), answer.json()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"host": "https://notes.example/"}, "write a host alone"),
        ({"description": "two\nlines"}, "write it in one line"),
        ({"labels": ["group=A"]}, "must be names with values"),
        ({"redirect_uris": "https://app.example/"}, "must be a list"),
        ({"scope": 7}, "must be a text"),
        ({"colour": "red"}, "is not known here"),
    ],
)
def test_what_is_wrong_is_said_in_words(world: World, members: dict[str, Any], says: str) -> None:
    answer = world.admin.post("/v1/apps", json={"name": new_name(), **members})
    assert (answer.status_code, says in answer.json()["errors"][0]["message"]) == (422, True), answer.text


@pytest.mark.parametrize(
    "uri", ["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:8/"]
)
def test_where_native_apps_come_back_to(world: World, uri: str) -> None:
    assert register(world, redirect_uris=[uri]).redirect_uri == uri


def test_an_owner_needs_no_permission_for_what_is_its_own(world: World) -> None:
    name = new_name()
    owner = world.holder(f"app:register@{name}")
    made(world.nobody.post("/v1/apps", headers=bearer(owner.text), json={"name": name}))
    mine = bearer(owner.text)
    assert world.nobody.get(f"/v1/apps/{name}", headers=mine).status_code == 200
    listed = world.nobody.get("/v1/apps", headers=mine).json()["items"]
    assert [item["name"] for item in listed] == [name]
    stranger = world.holder("app:get@other")
    assert world.nobody.get(f"/v1/apps/{name}", headers=bearer(stranger.text)).status_code == 403
    changed = world.nobody.patch(f"/v1/apps/{name}", json={"description": "x"}, headers=mine)
    assert changed.json()["description"] == "x"
    assert world.nobody.delete(f"/v1/apps/{name}", headers=mine).status_code == 200


def test_names_hosts_and_roles_are_one_apps(world: World) -> None:
    role, host = world.role(), f"{new_name()}.example"
    app = register(world, host=host, role=role)
    for members in (
        {"name": app.name},
        {"name": new_name(), "host": host},
        {"name": new_name(), "role": role},
    ):
        answer = world.admin.post("/v1/apps", json=members)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_another_secret_ends_the_one_before(world: World) -> None:
    app = register(world, token_endpoint_auth_method="client_secret_basic")
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert app.ask(form).json()["error"] == "invalid_grant"
    answer = world.admin.post(f"/v1/apps/{app.name}/secret").json()
    assert app.ask(form).json()["error"] == "invalid_client"
    app.secret = answer["client_secret"]
    assert app.ask(form).json()["error"] == "invalid_grant"
    assert "client_secret" not in world.admin.get(f"/v1/apps/{app.name}").json()
    assert world.admin.post(f"/v1/apps/{register(world).name}/secret").status_code == 409


@pytest.mark.parametrize("way", ["header", "form"])
def test_an_app_with_a_secret_is_its_role_when_it_acts_for_nobody(world: World, way: str) -> None:
    role = world.role("data:get@*")
    app = register(world, role=role, token_endpoint_auth_method="client_secret_basic")
    form = {"grant_type": "client_credentials"}
    if way == "header":
        answer = app.ask(form)
    else:
        named = {"client_id": app.client_id, "client_secret": app.secret or ""}
        answer = world.nobody.post("/v1/token", data=form | named)
    assert (answer.status_code, answer.json()["scope"]) == (200, "data:get@*")
    said = claims(answer.json()["access_token"])
    assert (said["sub"], said["client_id"], "act" in said) == (f"role:{role}", app.client_id, False)


def test_an_app_that_proves_nothing_gets_nothing_for_itself(world: World) -> None:
    form = {"grant_type": "client_credentials"}
    for app in (register(world, role=world.role("data:get@*")), command_line(world)):
        answer = app.ask(form)
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    roleless = register(world, token_endpoint_auth_method="client_secret_basic")
    assert roleless.ask(form).json()["error"] == "unauthorized_client"


def test_an_app_gets_other_keys(world: World) -> None:
    first, second = (SigningKey.generate("ES256").public_jwk for _ in range(2))
    app = register(world, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [first]})
    place = f"/v1/apps/{app.name}"
    changed = world.admin.patch(place, json={"jwks": {"keys": [second]}})
    assert (changed.status_code, changed.json()["jwks"]) == (200, {"keys": [second]})


@pytest.mark.parametrize(
    ("registered", "changes"),
    [
        ("private_key_jwt", {"jwks": None}),
        ("private_key_jwt", {"token_endpoint_auth_method": "none"}),
        ("none", {"jwks": {"keys": [SigningKey.generate("ES256").public_jwk]}}),
        ("none", {"token_endpoint_auth_method": "private_key_jwt"}),
    ],
)
def test_what_does_not_go_with_what_is_registered(
    world: World, registered: str, changes: dict[str, Any]
) -> None:
    keys = {"keys": [SigningKey.generate("ES256").public_jwk]} if registered == "private_key_jwt" else None
    app = register(world, token_endpoint_auth_method=registered, jwks=keys)
    answer = world.admin.patch(f"/v1/apps/{app.name}", json=changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")


def test_wanting_something_else_ends_the_tokens_from_before(world: World) -> None:
    app = register(world, "data:get@*")
    with signed_in(world.issuer, "admin") as browser:
        token = app.sign_in(browser)["access_token"]
        assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200
        assert world.admin.patch(f"/v1/apps/{app.name}", json={"scope": "data:get@x"}).status_code == 200
        assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 401


def test_deleting_again_does_nothing_unless_a_version_is_named(world: World) -> None:
    place = f"/v1/apps/{register(world).name}"
    assert [world.admin.delete(place).status_code for _ in range(2)] == [200, 200]
    assert world.admin.delete(place, headers={"If-Match": '"1"'}).status_code == 412


def test_an_app_that_acts_for_its_owner_is_not_its_owner(world: World) -> None:
    app = register(world, "job:get@*")
    with signed_in(world.issuer, "admin") as browser:
        token = app.sign_in(browser, resource=world.url)["access_token"]
    for answer in (
        world.nobody.get(f"/v1/apps/{app.name}", headers=bearer(token)),
        world.nobody.delete(f"/v1/apps/{app.name}", headers=bearer(token)),
    ):
        assert answer.status_code == 403


def test_who_changes_an_app_that_is_a_role_may_assume_it(world: World) -> None:
    """By its keys, its secret or where its users are sent, one would be the role."""
    role = world.role("data:get@*")
    app = register(world, role=role, token_endpoint_auth_method="client_secret_basic")
    outsider = bearer(world.holder(f"app:*@{app.name}").text)
    insider = bearer(world.holder(f"app:*@{app.name}", f"role:assume@{role}").text)
    place = f"/v1/apps/{app.name}"
    elsewhere = {"redirect_uris": ["https://elsewhere.test/cb"]}
    for headers, status in ((outsider, 403), (insider, 200)):
        assert world.nobody.post(f"{place}/secret", headers=headers).status_code == status
        assert world.nobody.patch(place, headers=headers, json=elsewhere).status_code == status
        assert world.nobody.patch(place, headers=headers, json={"description": "x"}).status_code == 200


def test_users_are_asked_again_where_an_app_sends_them_elsewhere(world: World, browser: Browser) -> None:
    app = register(world)
    app.code(browser, scope="data:get@*")
    uris = [app.redirect_uri, "https://elsewhere.test/cb"]
    assert world.admin.patch(f"/v1/apps/{app.name}", json={"redirect_uris": uris}).status_code == 200
    told = returned(browser.get(app.target(scope="data:get@*", prompt="none")))
    assert told["error"] == "consent_required"


def test_what_an_app_wanted_no_more_is_asked_about_when_it_wants_it_again(
    world: World, browser: Browser
) -> None:
    app = register(world, "data:get@* data:put@*")
    app.code(browser, scope="data:get@* data:put@*")
    for scope in ("data:get@*", "data:get@* data:put@*"):
        assert world.admin.patch(f"/v1/apps/{app.name}", json={"scope": scope}).status_code == 200
    told = returned(browser.get(app.target(scope="data:get@*", prompt="none")))
    assert "code" in told
    told = returned(browser.get(app.target(scope="data:put@*", prompt="none")))
    assert told["error"] == "consent_required"


def test_a_narrowed_token_does_not_see_what_its_user_owns(world: World, ada: str) -> None:
    app = register(world, owner=f"user:{ada}")
    with signed_in(world.issuer, ada) as browser:
        tokens = command_line(world).sign_in(browser, scope="data:get@x openid", resource=world.url)
    narrowed = bearer(tokens["access_token"])
    assert world.nobody.get(f"/v1/apps/{app.name}", headers=narrowed).status_code == 403
    listed = world.nobody.get("/v1/apps", headers=narrowed).json()["items"]
    assert app.name not in [each["name"] for each in listed]


def test_a_job_is_not_the_owner_that_its_role_is(world: World) -> None:
    role = world.role("data:get@*")
    app = register(world, owner=f"role:{role}", token_endpoint_auth_method="client_secret_basic")
    ticket = made(world.admin.post("/v1/jobs", json={"role": role}))["ticket"]
    token = world.nobody.get("/v1/token", headers=bearer(ticket), params={"resource": world.url}).json()
    refused = world.nobody.post(f"/v1/apps/{app.name}/secret", headers=bearer(token["access_token"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


def test_a_host_is_for_who_may_have_it_and_for_one_app(world: World) -> None:
    host = f"{uuid4().hex[:12]}.apps.example"
    mine = register(world, host=host)
    taken = {"name": new_name(), "redirect_uris": [], "scope": "", "host": f"{host}:8443"}
    answer = world.admin.post("/v1/apps", json=taken)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), "whatever the port"
    registrar = world.holder("app:register@*", "app:update@*", "app:get@*")
    for path, body in (
        ("/v1/apps", taken | {"host": f"x{host}"}),
        (f"/v1/apps/{mine.name}", {"host": f"y{host}"}),
    ):
        method = "POST" if path == "/v1/apps" else "PATCH"
        refused = world.nobody.request(method, path, json=body, headers=registrar.bearer)
        assert (refused.status_code, "app:host@" in refused.json()["detail"]) == (403, True)


def test_a_credential_for_some_services_makes_none_for_others() -> None:
    narrow = Caller(
        principal="user:ada",
        client_id="hmk_x",
        status_index=1,
        roles=(),
        scope=Scope.parse("*"),
        audience=None,
        expires_at=None,
        audiences=("https://one.example",),
    )
    narrow.require_services(["https://one.example"])
    for asked in ([], ["https://two.example"], ["https://one.example", "https://two.example"]):
        with pytest.raises(Denial) as refused:
            narrow.require_services(asked)
        assert refused.value.code == "not_permitted"
