"""The endpoint that docker clients ask: who is let in, what is answered, and what is in the token."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from issuer import rfc3339
from tests.browsers import Browser
from tests.clients import claims, command_line, register, returned
from tests.issuer.http.cases import case
from tests.issuer.http.conftest import Expired
from tests.issuer.http.world import OTHER, OTHER_REGISTRY, REGISTRY, World, bearer, made
from verifier import strict_json

PATH = "/v1/registry/token"
PULL = ("repository", "a/b", ["pull"])


def get(world: World, password: str, *scopes: str, user: str = "console", **query: str) -> httpx.Response:
    """As docker, skopeo and buildah ask."""
    params = {
        "service": REGISTRY,
        "account": "console",
        "client_id": "docker",
        "scope": list(scopes),
        **query,
    }
    return world.nobody.get(PATH, params=params, auth=httpx.BasicAuth(user, password))


def post(world: World, password: str, *scopes: str, **form: str) -> httpx.Response:
    """As containerd asks."""
    fields = {"grant_type": "password", "service": REGISTRY, "client_id": "containerd-client", **form}
    return world.nobody.post(
        PATH, data=fields | {"username": "console", "password": password, "scope": list(scopes)}
    )


def header(token: str) -> dict[str, Any]:
    segment = token.partition(".")[0]
    return strict_json.parse_object(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def access(answer: httpx.Response) -> list[tuple[str, str, list[str]]]:
    """What is granted, of an answer that grants."""
    assert answer.status_code == 200, answer.text
    found = claims(answer.json()["token"])["access"]
    return [(each["type"], each["name"], each["actions"]) for each in found]


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message."""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("application/json")
    (error,) = answer.json()["errors"]
    assert set(error) == {"code", "message", "detail"}
    assert error["detail"] is None
    assert error["message"] != "authentication required", "docker push tries that again for 50 s"
    return answer.status_code, error["code"], error["message"]


def test_the_answer_has_what_clients_read_and_nothing_else(world: World) -> None:
    key = world.holder("repository:pull@a/*")
    began = int(time.time())
    answer = get(world, key.text, "repository:a/b:pull")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"token", "access_token", "expires_in", "issued_at"}
    assert (body["token"], body["expires_in"]) == (body["access_token"], 300)
    assert began <= rfc3339.read(body["issued_at"]) <= time.time()
    body = post(world, key.text, "repository:a/b:pull,push", access_type="offline").json()
    assert set(body) == {"token", "access_token", "expires_in", "issued_at", "scope", "token_type"}
    assert (body["scope"], body["token_type"]) == ("repository:a/b:pull", "Bearer")


def test_the_token_has_what_registries_read(world: World) -> None:
    key = world.holder("repository:pull@a/*")
    began = int(time.time())
    token = get(world, key.text, "repository:a/b:pull,push", "repository:x:pull").json()["token"]
    said = claims(token)
    assert set(said) == {"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "access"}
    assert (said["iss"], said["aud"], said["sub"]) == (world.url, REGISTRY, f"role:{key.role}")
    assert said["access"] == [{"type": "repository", "name": "a/b", "actions": ["pull"]}]
    assert all(type(said[name]) is int for name in ("iat", "nbf", "exp"))
    assert began <= said["iat"] == said["nbf"] == said["exp"] - 300
    assert (header(token)["typ"], header(token)["alg"], len(header(token)["x5c"])) == ("JWT", "ES256", 1)


@case("dk-bad", "401", "none")
def test_a_wrong_password(world: World, expired: Expired) -> None:
    right = world.holder("repository:pull@a/*")
    wrong = f"{right.access}:{right.secret[:-1]}x"
    for password in (wrong, expired.key.text, "", "hmj_", "a.b.c", "ä:ö", "x" * 5000):
        answer = get(world, password, "repository:a/b:pull")
        assert refused(answer)[:2] == (401, "UNAUTHORIZED"), password[:20]
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert not password or password not in answer.text
    assert refused(post(world, wrong))[:2] == (401, "UNAUTHORIZED")


def test_whatever_is_wrong_with_the_header_is_a_wrong_password(world: World) -> None:
    for sent in ("Basic", "Basic !", "Basic " + base64.b64encode(b"no colon").decode(), "Bearer a.b.c"):
        answer = world.nobody.get(PATH, params={"service": REGISTRY}, headers={"Authorization": sent})
        assert refused(answer)[:2] == (401, "UNAUTHORIZED"), sent


@case("dk-partial", "200")
def test_a_part_of_what_is_asked_for_is_no_error(world: World) -> None:
    key = world.holder("repository:pull@a/b")
    assert access(get(world, key.text, "repository:a/b:pull,push")) == [PULL]


@case("dk-none", "200")
def test_nothing_of_what_is_asked_for_is_no_error(world: World) -> None:
    key = world.holder("data:get@*")
    answers = [get(world, key.text, scope) for scope in ("repository:x/y:pull", "repository:no/such:pull")]
    assert [access(answer) for answer in answers] == [[], []]
    assert len({tuple(answer.json()) for answer in answers}) == 1
    assert access(get(world, key.text)) == [], "to sign in nothing is asked for"


def test_several_scopes_are_granted_together_however_they_are_sent(world: World) -> None:
    key = world.holder("repository:pull@a/*", "repository:push@a/*")
    both = [("repository", "a/b", ["pull", "push"]), ("repository", "a/c", ["pull"])]
    one, two = "repository:a/b:pull,push", "repository:a/c:pull"
    for answer in (
        get(world, key.text, one, two),
        get(world, key.text, f"{one} {two}"),
        get(world, key.text, "repository:a/b:pull", two, "repository:a/b:push,pull", two),
        post(world, key.text, one, two),
        post(world, key.text, f"{one} {two}"),
    ):
        assert access(answer) == both


def test_a_body_in_chunks(world: World) -> None:
    key = world.holder("repository:pull@a/*")
    form = f"grant_type=password&service={REGISTRY}&username=console&scope=repository%3Aa/b%3Apull&password="

    def chunks() -> Iterator[bytes]:
        yield form.encode()
        yield key.text.replace(":", "%3A").encode()

    content_type = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = world.nobody.post(PATH, content=chunks(), headers=content_type)
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert access(answer) == [PULL]


@pytest.mark.parametrize("user", ["console", "", "ada@b.example", "%3A", "a b", "<token>", "ünïcode"])
def test_any_user_name_will_do(world: World, user: str) -> None:
    key = world.holder("repository:pull@a/*")
    assert access(get(world, key.text, "repository:a/b:pull", user=user)) == [PULL]


def test_a_role_key_as_user_and_password(world: World) -> None:
    key = world.holder("repository:pull@a/*")
    assert access(get(world, key.secret, "repository:a/b:pull", user=key.access)) == [PULL]


def test_a_token_of_an_hour_is_a_password_within_its_own_rights(world: World) -> None:
    key = world.holder("repository:pull@*", "data:get@*")
    for narrowed in ({}, {"resource": world.url}):
        token = world.token(key, scope="repository:pull@a/*", **narrowed)
        answer = get(world, token, "repository:a/b:pull", "repository:x:pull")
        assert access(answer) == [PULL]
        assert claims(answer.json()["token"])["exp"] <= claims(token)["exp"]
    token = world.token(key, resource=OTHER)
    status, code, message = refused(get(world, token, "repository:a/b:pull"))
    assert (status, code, OTHER in message) == (401, "UNAUTHORIZED", True)


def test_what_ends_soon_gives_what_ends_with_it(world: World) -> None:
    ends_at = int(time.time()) + 100
    expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends_at))
    key = world.key(world.role("repository:pull@a/*"), expires_at=expires_at)
    for password in (key.text, world.token(key)):
        body = get(world, password, "repository:a/b:pull").json()
        assert claims(body["token"])["exp"] == ends_at
        assert 0 < body["expires_in"] <= 100


def test_a_token_that_has_expired_or_is_no_access_token_is_told_so(
    world: World, expired: Expired, browser: Browser
) -> None:
    assert "expired" in refused(get(world, expired.token))[2]
    registry_token = get(world, world.holder("repository:pull@*").text).json()["token"]
    id_token = register(world).sign_in(browser, scope="openid data:get@*")["id_token"]
    for token in (registry_token, id_token):
        status, code, message = refused(get(world, token, "repository:a/b:pull"))
        assert (status, code) == (401, "UNAUTHORIZED")
        assert "the token that was sent as password is refused" in message


def test_a_user_and_a_job_are_let_in(world: World, ada: str, browser: Browser) -> None:
    made(world.admin.post(f"/v1/users/{ada}/roles", json={"role": world.role("repository:pull@a/*")}))
    token = command_line(world).sign_in(browser, scope="*")["access_token"]
    answer = get(world, token, "repository:a/b:pull,push")
    assert (access(answer), claims(answer.json()["token"])["sub"]) == ([PULL], f"user:{ada}")
    job = made(world.admin.post("/v1/jobs", json={"role": world.role("repository:pull@a/*")}))
    issued = world.nobody.get("/v1/token", headers=bearer(job["ticket"])).json()["access_token"]
    for password in (issued, job["ticket"]):
        assert access(get(world, password, "repository:a/b:pull")) == [PULL]
    assert world.admin.delete(f"/v1/jobs/{job['id']}").status_code == 200
    for password in (issued, job["ticket"]):
        assert refused(get(world, password, "repository:a/b:pull"))[0] == 401


def test_what_was_revoked_fails_at_the_next_request(world: World) -> None:
    role = world.role("repository:pull@a/*")
    key = world.key(role)
    token = world.token(key)
    for password in (key.text, token):
        assert access(get(world, password, "repository:a/b:pull")) == [PULL]
    assert world.admin.delete(f"/v1/roles/{role}/keys/{key.access}").status_code == 200
    for password in (key.text, token):
        assert refused(get(world, password, "repository:a/b:pull"))[:2] == (401, "UNAUTHORIZED")


def test_a_registry_token_opens_nothing_here(world: World) -> None:
    token = get(world, world.issuer.admin_key, "registry:catalog:*").json()["token"]
    for answer in (
        world.nobody.get("/v1/me", headers=bearer(token)),
        world.nobody.get("/v1/roles", headers=bearer(token)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert not world.is_active(token)
    published = world.nobody.get("/.well-known/jwks.json").json()["keys"]
    assert header(token).get("kid") not in {key["kid"] for key in published}


@pytest.mark.parametrize(
    "service", ["unknown.example", "", "urn:hourmark:services", f"{REGISTRY} ", "x" * 3000]
)
def test_a_registry_that_is_not_known(world: World, service: str) -> None:
    key = world.holder("repository:pull@*")
    for answer in (get(world, key.text, service=service), post(world, key.text, service=service)):
        status, code, message = refused(answer)
        assert (status, code, "HOURMARKD_REGISTRY_SERVICES" in message) == (400, "UNSUPPORTED", True)
    assert refused(get(world, "wrong", service=service))[0] == 401, "nobody else is told what is known"


def test_an_api_token_is_for_the_services_that_it_was_made_for(world: World) -> None:
    def token(audience: str) -> str:
        asked = {"name": audience, "presets": ["developer-operations"], "audiences": [audience]}
        return str(made(world.admin.post("/v1/tokens", json=asked))["token"])

    assert access(get(world, token(REGISTRY), "repository:a/b:pull")) == [PULL]
    for audience in (OTHER_REGISTRY, OTHER):
        status, code, message = refused(get(world, token(audience), "repository:a/b:pull"))
        assert (status, code, REGISTRY in message) == (401, "UNAUTHORIZED", True)


def test_its_one_hour_token_is_for_no_more(world: World) -> None:
    asked = {"name": "issuer alone", "presets": ["developer-operations"], "audiences": [world.url]}
    token = str(made(world.admin.post("/v1/tokens", json=asked))["token"])
    form = {"grant_type": "client_credentials"}
    jwt = world.nobody.post("/v1/token", data=form, auth=tuple(token.split(":"))).json()["access_token"]  # type: ignore[arg-type]
    for password in (token, jwt):
        status, code, message = refused(get(world, password, "repository:a/b:pull"))
        assert (status, code, REGISTRY in message) == (401, "UNAUTHORIZED", True)


def test_whoever_is_signed_in_pulls_what_everybody_pulls(world: World) -> None:
    key = world.holder("repository:pull@mine/*")
    asked = get(world, key.text, "repository:public/x:pull", "repository:mine/x:pull")
    assert sorted(name for _, name, _ in access(asked)) == ["mine/x", "public/x"]


def test_who_proves_nothing_pulls_what_the_settings_name(world: World) -> None:
    def ask(*scopes: str, service: str = REGISTRY) -> httpx.Response:
        return world.nobody.get(PATH, params={"service": service, "scope": list(scopes)})

    answer = ask("repository:public/a:pull,push")
    assert access(answer) == [("repository", "public/a", ["pull"])]
    assert claims(answer.json()["token"])["sub"] == ""
    assert access(ask("repository:public/a:pull", "repository:secret:pull")) == access(answer)
    for refusal in (
        ask(),
        ask("repository:secret:pull"),
        ask("repository:public/../secret:pull"),
        ask("registry:catalog:*"),
        ask("repository:public/a:push"),
        ask("repository:public/a:pull", service=OTHER_REGISTRY),
    ):
        status, code, message = refused(refusal)
        assert (status, code, "docker login" in message) == (401, "UNAUTHORIZED", True)


def test_a_selector_on_repositories_is_refused_wherever_permissions_are_given(world: World) -> None:
    role, wrong = world.role("repository:pull@*"), "repository:pull@*[team=nlp]"
    preset = {"name": "labelled", "presets": ["developer-operations"]}
    for path, body, field in (
        (f"/v1/roles/{role}/policies", {"permission": wrong}, "permission"),
        (f"/v1/roles/{role}/keys", {"scope": f"data:get@* {wrong}"}, "scope"),
        ("/v1/apps", {"name": "labelled", "scope": wrong}, "scope"),
        ("/v1/tokens", preset | {"label_selectors": ["team=nlp"]}, "label_selectors"),
    ):
        answer = world.admin.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
        (error,) = answer.json()["errors"]
        assert (error["field"], "repositories have no labels" in error["message"]) == (field, True)


@pytest.mark.parametrize("asked", ["repository:pull@*[team=nlp]", "*:*@*[team=nlp]", "repository:*@a/*[a=b]"])
def test_nobody_consents_to_a_selector_on_repositories(
    world: World, ada: str, browser: Browser, asked: str
) -> None:
    made(world.admin.post(f"/v1/users/{ada}/roles", json={"role": world.role("repository:*@*")}))
    app = register(world, "repository:pull@*")
    returned_to = returned(browser.get(app.target(scope=asked)))
    device = world.nobody.post("/v1/device", data={"client_id": app.client_id, "scope": asked}).json()
    for answer in (returned_to, device):
        assert answer["error"] == "invalid_scope"
        assert "repositories have no labels" in answer["error_description"]


def test_the_log_says_who_got_what_and_no_secret(world: World) -> None:
    key = world.holder("repository:pull@a/*")
    answer = get(world, key.text, "repository:a/b:pull,push")
    line = world.line(answer)
    said = claims(answer.json()["token"])
    assert (line["client_id"], line["sub"]) == (key.access, f"role:{key.role}")
    assert (line["jti"], line["scope"]) == (said["jti"], "repository:a/b:pull")
    assert key.secret not in world.issuer.log.read_text()
    assert answer.json()["token"] not in world.issuer.log.read_text()
