"""What a user sees of what acts for them, and how it ends."""

from __future__ import annotations

import pytest

from issuer.clients import CLI_ID
from issuer.console.user_agents import browser_name
from issuer.store import user_grants, users
from issuer.store.user_grants import CONSENT, SIGN_IN, Authentication, Place
from tests.browsers import inside
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made
from verifier import Scope


def grant(world: World, user: str, kind: str, client_id: str) -> int:
    with inside(world.issuer) as there, there.write("tests") as tx:
        row = user_grants.create(
            tx,
            kind,
            users.get(tx.session, user).principal,
            client_id,
            scope=Scope.parse("data:get@*"),
            authentication=Authentication(tx.now, ("pwd",)),
            place=Place("192.0.2.7", "<b>curl/8</b>"),
            expires_at=None,
        )
        return row.id


def test_apps_and_sign_ins_are_shown_and_end(world: World, user: str, signed_in: NewBrowser) -> None:
    browser = signed_in()
    sign_in = grant(world, user, SIGN_IN, CLI_ID)
    grant(world, user, CONSENT, "some-app")
    grant(world, user, SIGN_IN, "some-app")
    page = browser.get("/").text
    for part in ("The Hourmark command line", "192.0.2.7", "some-app", "get every data"):
        assert part in page
    assert "<b>curl" not in page
    assert browser.send("/account/sign-ins/end", {"id": str(sign_in)}).status_code == 303
    assert "The Hourmark command line" not in browser.get("/").text
    assert browser.send("/account/apps/withdraw", {"client_id": "some-app"}).status_code == 303
    assert "some-app" not in browser.get("/").text, "neither the consent nor the sign-in"
    row = world.admin.get("/v1/audit", params={"limit": 1}).json()["items"][0]
    assert (row["action"], row["detail"]) == ("consent:withdraw", {"client_id": "some-app"})


def test_a_consent_is_no_sign_in(world: World, user: str, signed_in: NewBrowser) -> None:
    browser = signed_in()
    consent = grant(world, user, CONSENT, "some-app")
    browser.get("/")
    assert browser.send("/account/sign-ins/end", {"id": str(consent)}).status_code == 404
    browser.get("/")
    assert browser.send("/account/sign-out-everywhere").status_code == 303
    assert "some-app" in signed_in().get("/").text


def test_what_people_wrote_is_text(world: World, user: str, signed_in: NewBrowser) -> None:
    name = "<script>alert('ä')</script>"
    world.admin.patch(f"/v1/users/{user}", json={"display_name": name}).raise_for_status()
    page = signed_in().get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_roles_are_shown(world: World, user: str, signed_in: NewBrowser) -> None:
    assert "None yet" in signed_in().get("/").text
    role = world.role()
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": role}))
    assert role in signed_in().get("/").text


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "A browser"),
    ],
)
def test_a_browser_has_a_name(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
