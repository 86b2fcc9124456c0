"""What apps got ends with what they got it by: role keys, roles, secrets, owners, and the apps themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.browsers import Browser
from tests.clients import App, claims, register
from tests.issuer.http.test_token_exchange import ACCESS_TOKEN, GRANT
from tests.issuer.http.test_tokens_of_apps import is_good
from tests.issuer.http.world import Key, World

BY_SECRET = "client_secret_basic"


@dataclass(frozen=True)
class Acting:
    """A role key, the app that its role is, and a token of a user who lets the app act."""

    world: World
    role: str
    key: Key
    app: App
    users_token: str

    def exchange(self, token: str | None = None, **form: str) -> httpx.Response:
        """With the role key, by default the user's token."""
        subject = {"subject_token": token or self.users_token, "subject_token_type": ACCESS_TOKEN}
        return self.world.nobody.post(
            "/v1/token", data={"grant_type": GRANT} | subject | form, auth=self.key.basic
        )

    def acted(self) -> str:
        """A token on behalf of the user, got with the role key."""
        answer = self.exchange()
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture
def acting(world: World, browser: Browser) -> Acting:
    role = world.role("job:get@*", "job:put@*")
    app = register(world, role=role, token_endpoint_auth_method=BY_SECRET)
    app.code(browser)
    users_token = register(world, "data:get@* data:put@*").sign_in(browser)["access_token"]
    return Acting(world, role, world.key(role), app, users_token)


def delete_the_key(acting: Acting) -> httpx.Response:
    return acting.world.admin.delete(f"/v1/roles/{acting.role}/keys/{acting.key.access}")


def renew_the_key(acting: Acting) -> httpx.Response:
    return acting.world.admin.post(f"/v1/roles/{acting.role}/keys/{acting.key.access}/renew", json={})


def renew_the_key_with_little_grace(acting: Acting) -> httpx.Response:
    place = f"/v1/roles/{acting.role}/keys/{acting.key.access}/renew"
    return acting.world.admin.post(place, json={"grace_seconds": 600})


def narrow_the_role(acting: Acting) -> httpx.Response:
    policies = f"/v1/roles/{acting.role}/policies"
    first = acting.world.admin.get(policies).json()["items"][0]["id"]
    return acting.world.admin.delete(f"{policies}/{first}")


def delete_the_role(acting: Acting) -> httpx.Response:
    return acting.world.admin.delete(f"/v1/roles/{acting.role}")


@pytest.mark.parametrize(
    "end",
    [delete_the_key, renew_the_key, renew_the_key_with_little_grace, narrow_the_role, delete_the_role],
)
def test_what_a_role_key_got_on_behalf_of_users_ends_with_it(
    acting: Acting, end: Callable[[Acting], httpx.Response]
) -> None:
    world, token = acting.world, acting.acted()
    assert is_good(world, token)
    assert end(acting).status_code == 200
    assert not is_good(world, token)
    subject = {"subject_token": acting.users_token, "subject_token_type": ACCESS_TOKEN}
    again = acting.app.ask({"grant_type": GRANT} | subject)
    assert is_good(world, again.json()["access_token"]), "the app itself goes on, and the consent"


def test_what_ends_before_the_old_secret_does_goes_on(acting: Acting) -> None:
    token, place = acting.acted(), f"/v1/roles/{acting.role}/keys/{acting.key.access}/renew"
    assert acting.world.admin.post(place, json={"grace_seconds": 3600}).status_code == 200
    assert is_good(acting.world, token)


def test_what_a_role_key_got_does_not_outlive_it(acting: Acting) -> None:
    ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    short = acting.world.key(acting.role, expires_at=ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    asked = {"grant_type": GRANT, "subject_token": acting.users_token, "subject_token_type": ACCESS_TOKEN}
    answer = acting.world.nobody.post("/v1/token", data=asked, auth=short.basic)
    assert claims(answer.json()["access_token"])["exp"] == ends_at.timestamp()


def test_a_role_key_narrows_its_apps_token_and_delegates_nothing(acting: Acting) -> None:
    token = acting.acted()
    narrower = acting.exchange(token, scope="data:get@x").json()
    before, after = claims(token), claims(narrower["access_token"])
    assert narrower["scope"] == "data:get@x"
    assert (after["act"], after["status"]) == (before["act"], before["status"])
