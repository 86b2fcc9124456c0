"""What a user sees of what acts for them, and how it ends."""

from __future__ import annotations

import re
import time

import pytest

from issuer.clients import CLI_ID
from issuer.store import user_grants, users
from issuer.store.user_grants import CONSENT, SIGN_IN, Authentication, Place
from issuer.user_agents import browser_name
from tests import clients
from tests.browsers import inside, let_in
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, bearer, made
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
    browser, app = signed_in(), clients.register(world, "data:get@*")
    grant(world, user, SIGN_IN, CLI_ID)
    grant(world, user, CONSENT, app.client_id)
    grant(world, user, SIGN_IN, app.client_id)
    page = browser.get("/session").text
    for part in ("The Hourmark command line", "192.0.2.7", app.name):
        assert part in page
    assert "<b>curl" not in page
    assert browser.press("End The Hourmark command line").headers["location"] == "/session#sign-ins"
    assert "The Hourmark command line" not in browser.get("/session").text
    page = browser.get("/authorised-apps").text
    for part in (app.name, "get every data"):
        assert part in page
    assert browser.press("Withdraw").status_code == 303
    for path in ("/session", "/authorised-apps"):
        assert app.name not in browser.get(path).text, "neither the consent nor the sign-in"
    row = world.admin.get("/v1/audit", params={"limit": 1}).json()["items"][0]
    assert (row["action"], row["detail"]) == ("consent:withdraw", {"client_id": app.client_id})


def test_what_is_open_in_apps_is_shown_and_ends(world: World, user: str, signed_in: NewBrowser) -> None:
    browser, host = signed_in(), f"{user}.apps.example"
    assert "let in as you" in browser.get("/session").text
    app = clients.register(world, "", host=host)
    for agent in ("Firefox/140.0 (Linux)", "<i>other</i>"):
        let_in(world.issuer, user, app.client_id, agent=agent)
    page = browser.get("/session").text
    for part in (f'<a href="https://{host}/">{app.name}</a>', "Firefox on Linux, since <time", "192.0.2.8"):
        assert part in page
    assert (page.count(f"End what is open in {app.name}"), "<i>other" in page) == (2, False)
    (end, _) = re.findall(r"/session/visits/\d+/end", page)
    other = signed_in(user="admin")
    other.get("/session")
    assert other.send(end).status_code == 404, "nobody ends that of another"
    assert browser.press("End what is open in", on="/session").headers["location"] == "/session#visits"
    left = world.admin.get(f"/v1/users/{user}/visits").json()["items"]
    assert [visit["browser"] for visit in left] == ["Firefox on Linux"]
    assert browser.press("Sign out everywhere", on="/session").status_code == 303
    assert app.name not in signed_in().get("/session").text


def test_a_consent_is_no_sign_in(world: World, user: str, signed_in: NewBrowser) -> None:
    browser, app = signed_in(), clients.register(world, "data:get@*")
    consent = grant(world, user, CONSENT, app.client_id)
    browser.get("/session")
    assert browser.send(f"/session/sign-ins/{consent}/end").status_code == 404
    assert browser.press("Sign out everywhere", on="/session").status_code == 303
    assert app.name in signed_in().get("/authorised-apps").text


def test_a_token_for_an_hour_lives_as_long_as_the_session(
    world: World, user: str, signed_in: NewBrowser
) -> None:
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": world.role("data:get@*")}))
    browser = signed_in()
    asked = {"resource": world.url}
    answer = browser.press("Get a token", asked, on="/session")
    assert answer.headers["cache-control"] == "no-store"
    token = re.findall(r"Authorization: Bearer ([\w.-]+)", answer.text)[0]
    said = world.nobody.get("/v1/me", headers=bearer(token)).json()
    assert (said["principal"], said["scope"]) == (f"user:{user}", "data:get@*")
    assert (
        browser.press("Get a token", {"resource": "https://nobody.example"}, on="/session").status_code == 400
    )
    browser.press("Sign out", on="/logout")
    assert world.nobody.get("/v1/me", headers=bearer(token)).status_code == 401


def test_who_sat_down_in_between_gets_no_token(signed_in: NewBrowser) -> None:
    """With it, role keys could be made that the pages ask a proof for."""
    browser = signed_in(at=int(time.time()) - 3600)
    kept = browser.press("Get a token", {"resource": "urn:hourmark:services"}, on="/session").text
    assert ("Confirm that it is you" in kept, "<dd>urn:hourmark:services" in kept.replace("<wbr>", "")) == (
        True,
        True,
    )


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
