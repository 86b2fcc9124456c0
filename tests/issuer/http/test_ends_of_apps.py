"""What apps got ends with what they got it by: role keys, roles, secrets, owners, and the apps themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from keys.signing_key import SigningKey
from tests.browsers import Browser
from tests.clients import App, claims, register
from tests.issuer.http.test_client_assertions import Signing
from tests.issuer.http.test_device import GRANT as DEVICE_GRANT
from tests.issuer.http.test_device import begin
from tests.issuer.http.test_token_exchange import ACCESS_TOKEN, GRANT
from tests.issuer.http.test_tokens_of_apps import is_good, revoke
from tests.issuer.http.world import Key, World, made

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


@dataclass(frozen=True)
class Owned:
    """An app of a user who can be disabled and deleted, and another user's browser."""

    world: World
    owner: str
    app: App
    role: str
    browser: Browser

    def answers(self, code: str, refresh_token: str, users_token: str) -> dict[str, httpx.Response]:
        """To everything that the app can ask for."""
        role_key = self.world.key(self.role)
        subject = {"grant_type": GRANT, "subject_token": users_token, "subject_token_type": ACCESS_TOKEN}
        return {
            "code": self.app.redeem(code),
            "refresh": self.app.refresh(refresh_token),
            "exchange": self.app.ask(subject),
            "exchange with a role key": self.world.nobody.post(
                "/v1/token", data=subject, auth=role_key.basic
            ),
            "for itself": self.app.ask({"grant_type": "client_credentials"}),
            "device": self.world.nobody.post(
                "/v1/device", auth=httpx.BasicAuth(self.app.client_id, self.app.secret or "")
            ),
        }


@pytest.fixture
def owned(world: World, browser: Browser) -> Owned:
    owner = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": owner}))
    role = world.role("job:get@*")
    app = register(world, owner=f"user:{owner}", role=role, token_endpoint_auth_method=BY_SECRET)
    return Owned(world, owner, app, role, browser)


def switch(owned: Owned, how: str) -> None:
    assert owned.world.admin.post(f"/v1/users/{owned.owner}/{how}").status_code == 200


def test_an_app_stands_still_while_its_owner_is_disabled(owned: Owned) -> None:
    world, app = owned.world, owned.app
    users_token = register(world).sign_in(owned.browser)["access_token"]
    tokens = app.sign_in(owned.browser, scope="offline_access data:get@*")
    code = app.code(owned.browser)
    subject = {"grant_type": GRANT, "subject_token": users_token, "subject_token_type": ACCESS_TOKEN}
    got = [
        tokens["access_token"],
        app.ask(subject).json()["access_token"],
        app.ask({"grant_type": "client_credentials"}).json()["access_token"],
    ]
    assert all(is_good(world, token) for token in got)
    switch(owned, "disable")
    assert [is_good(world, token) for token in got] == [False] * 3
    for what, answer in owned.answers(code, tokens["refresh_token"], users_token).items():
        assert answer.json()["error"] in ("invalid_client", "unauthorized_client"), what
    assert owned.browser.get(app.target()).status_code == 400
    switch(owned, "enable")
    for what, answer in owned.answers(code, tokens["refresh_token"], users_token).items():
        assert answer.status_code == 200, (what, answer.text)
    assert not any(is_good(world, token) for token in got)


def test_an_app_whose_owner_is_disabled_keeps_its_name(owned: Owned) -> None:
    owned.app.sign_in(owned.browser)
    switch(owned, "disable")
    assert owned.app.name in owned.browser.get("/authorised-apps").text


def test_nobody_lets_a_device_in_while_the_owner_is_disabled(owned: Owned) -> None:
    begun = begin(owned.app, client_secret=owned.app.secret or "")
    switch(owned, "disable")
    owned.browser.get("/device")
    sent = {"user_code": begun["user_code"], "decision": "allow"}
    assert owned.browser.send("/device/decision", sent).status_code == 400
    switch(owned, "enable")
    polled = owned.app.ask({"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]})
    assert polled.json()["error"] == "authorization_pending"


def test_apps_go_with_their_owner(owned: Owned) -> None:
    world, app = owned.world, owned.app
    token = app.sign_in(owned.browser)["access_token"]
    own = app.ask({"grant_type": "client_credentials"}).json()["access_token"]
    deleted = world.admin.delete(f"/v1/users/{owned.owner}").json()
    assert deleted == {"deleted": owned.owner, "keys": [], "made": [], "apps": [app.name]}
    assert (is_good(world, token), is_good(world, own)) == (False, False)
    assert world.admin.get(f"/v1/apps/{app.name}").status_code == 404
    assert app.ask({"grant_type": "client_credentials"}).json()["error"] == "invalid_client"


def test_apps_go_with_the_role_that_owns_them(world: World, browser: Browser) -> None:
    role = world.role()
    app = register(world, owner=f"role:{role}")
    token = app.sign_in(browser)["access_token"]
    assert world.admin.delete(f"/v1/roles/{role}").json()["apps"] == [app.name]
    assert not is_good(world, token)


def renew_the_secret(acting: Acting) -> httpx.Response:
    return acting.world.admin.post(f"/v1/apps/{acting.app.name}/secret")


def delete_the_app(acting: Acting) -> httpx.Response:
    return acting.world.admin.delete(f"/v1/apps/{acting.app.name}")


@pytest.mark.parametrize("end", [narrow_the_role, delete_the_role, renew_the_secret, delete_the_app])
def test_what_an_app_got_for_itself_ends(acting: Acting, end: Callable[[Acting], httpx.Response]) -> None:
    own = str(acting.app.ask({"grant_type": "client_credentials"}).json()["access_token"])
    assert is_good(acting.world, own)
    assert end(acting).status_code == 200
    assert not is_good(acting.world, own)


@pytest.mark.parametrize("end", [renew_the_secret, delete_the_app])
def test_what_an_app_got_on_behalf_of_users_ends(
    acting: Acting, end: Callable[[Acting], httpx.Response]
) -> None:
    subject = {"subject_token": acting.users_token, "subject_token_type": ACCESS_TOKEN}
    token = str(acting.app.ask({"grant_type": GRANT} | subject).json()["access_token"])
    assert is_good(acting.world, token)
    assert end(acting).status_code == 200
    assert not is_good(acting.world, token)


def test_an_app_that_revokes_its_own_token_gets_another_one(acting: Acting) -> None:
    form = {"grant_type": "client_credentials"}
    own = str(acting.app.ask(form).json()["access_token"])
    revoke(acting.app, own)
    assert not is_good(acting.world, own)
    assert is_good(acting.world, acting.app.ask(form).json()["access_token"])


def test_other_keys_end_what_was_got_by_those_before(world: World) -> None:
    key, other = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    app = register(
        world,
        role=world.role("data:get@*"),
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.public_jwk]},
    )
    by_key = Signing(app, {"ES256": key})
    own = by_key.ask(by_key.assertion()).json()["access_token"]
    place = f"/v1/apps/{app.name}"
    assert world.admin.patch(place, json={"description": "The same keys"}).status_code == 200
    assert is_good(world, own)
    assert world.admin.patch(place, json={"jwks": {"keys": [other.public_jwk]}}).status_code == 200
    assert not is_good(world, own)
