"""An API token for some services: what an app gets for it, on behalf of its user, is for those alone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.browsers import Browser, signed_in
from tests.clients import App, claims, register
from tests.issuer.http.test_registry_token import get
from tests.issuer.http.test_token_exchange import exchange
from tests.issuer.http.world import OTHER, OTHER_REGISTRY, SERVICES, World, made

PULL = "repository:pull@*"


@pytest.fixture
def ada(world: World) -> str:
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("repository:*@*")}))
    return name


@pytest.fixture
def browser(world: World, ada: str) -> Iterator[Browser]:
    with signed_in(world.issuer, ada) as opened:
        yield opened


@pytest.fixture
def app(world: World, browser: Browser) -> App:
    """An app that ada lets act for her."""
    registered = register(world, PULL, token_endpoint_auth_method="client_secret_basic")
    registered.sign_in(browser, scope=PULL)
    return registered


def subject(world: World, user: str, *audiences: str) -> str:
    """A token for an hour of an API token for these services."""
    asked = {"name": f"t{uuid4().hex[:8]}", "presets": ["developer-operations"], "owner": f"user:{user}"}
    key = made(world.admin.post("/v1/tokens", json=asked | {"audiences": list(audiences)}))["token"]
    access, _, secret = key.partition(":")
    answer = world.nobody.post(
        "/v1/token", data={"grant_type": "client_credentials"}, auth=httpx.BasicAuth(access, secret)
    )
    return str(answer.json()["access_token"])


def test_it_stays_with_them(world: World, ada: str, app: App) -> None:
    token = subject(world, ada, OTHER)
    status, answer = exchange(app, token)
    assert (status, claims(answer["access_token"])["aud"]) == (200, OTHER)
    for resource in (SERVICES, world.url):
        for each in (token, answer["access_token"]):
            status, refusal = exchange(app, each, resource=resource)
            assert (status, refusal["error"]) == (400, "invalid_target")


def test_it_opens_no_registry_that_it_is_not_for(world: World, ada: str, app: App) -> None:
    token = subject(world, ada, OTHER_REGISTRY, SERVICES, world.url)
    status, answer = exchange(app, token, resource=world.url)
    assert (status, answer["error"]) == (400, "invalid_target")
    status, answer = exchange(app, token, resource=SERVICES)
    assert status == 200
    refusal = get(world, answer["access_token"], "repository:a/b:pull")
    assert (refusal.status_code, world.url in refusal.text) == (401, True)


def test_one_for_all_services_leads_an_app_to_a_registry(world: World, ada: str, app: App) -> None:
    status, answer = exchange(app, subject(world, ada), resource=world.url)
    assert status == 200
    assert get(world, answer["access_token"], "repository:a/b:pull").status_code == 200
