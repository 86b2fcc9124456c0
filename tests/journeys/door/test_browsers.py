"""People at a real browser come through a real nginx and a real Caddy: with a token, or as who they are."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from issuer.browser import SESSION_COOKIE
from tests.browser.conftest import NewPage
from tests.browsers import signed_in
from tests.doors import api_token
from tests.issuer.http.world import World, made, until
from tests.journeys.door.conftest import House, NewHouse
from tests.journeys.door.eavesdropper import eavesdropping


def new_user(world: World, *permissions: str) -> str:
    name = f"ada-{uuid4().hex[:8]}"
    made(world.admin.post("/v1/users", json={"name": name, "display_name": "Ada Lovelace"}))
    if permissions:
        role = {"role": world.role(*permissions)}
        made(world.admin.post(f"/v1/users/{name}/roles", json=role))
    return name


def sign_in(page: Page, world: World, user: str) -> None:
    with signed_in(world.issuer, user) as browser:
        value = browser.cookies[SESSION_COOKIE]
    where = world.url.replace("http:", "https:")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": value, "url": where, "secure": True}])


def handed(house: House, page: Page) -> str:
    """What the app is handed for this browser: a program that has its cookie asks the app for it."""
    (visit,) = [each["value"] for each in page.context.cookies() if each["name"] == "hourmark-visit"]
    with house.client(Cookie=f"hourmark-visit={visit}") as client:
        (shown,) = [value for name, value in client.get("/headers").json() if name == "authorization"]
    return str(shown).removeprefix("Bearer ")


def withdraw(house: House, user: str) -> None:
    whose = {"user": user}
    (consent,) = house.world.admin.get("/v1/consents", params=whose).json()["items"]
    house.world.admin.delete(f"/v1/consents/{consent['id']}", params=whose).raise_for_status()


def connect(page: Page, token: str) -> None:
    page.get_by_label("Log in with token").fill(token)
    page.get_by_role("button", name="Connect").click()


def at_the_entrance(page: Page, house: House) -> None:
    expect(page.get_by_role("heading", name=f"Open {house.app.name}")).to_be_visible()
    assert page.url.startswith(f"{house.world.url}/enter?")


def test_ovh_an_app_and_a_token_for_its_label_until_it_is_made_anew(new_house: NewHouse, page: Page) -> None:
    """Create an app and a label token, log in with the token, regenerate it and be cut off, delete."""
    group = uuid4().hex[:8]
    house = new_house(labels={"group": group})
    other = new_house(labels={"group": f"{group}-other"})
    token = api_token(house.world, f"group={group}")
    page.goto(f"{house.url}/notes?page=2")
    at_the_entrance(page, house)
    connect(page, token["token"][:-1])
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    connect(page, token["token"])
    expect(page.locator("#who")).to_have_text("user:admin")
    assert page.url == f"{house.url}/notes?page=2"
    page.goto(other.url)
    at_the_entrance(page, other)
    connect(page, token["token"])
    expect(page.get_by_role("alert")).to_contain_text(f"app:query@{other.app.name} is missing")
    renewed = house.world.admin.post(f"/v1/tokens/{token['id']}/renew").json()["token"]
    page.goto(house.url)
    at_the_entrance(page, house)
    connect(page, renewed)
    expect(page.locator("#who")).to_have_text("user:admin")
    house.world.admin.delete(f"/v1/tokens/{token['id']}").raise_for_status()
    page.reload()
    at_the_entrance(page, house)
    connect(page, renewed)
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    house.world.admin.delete(f"/v1/apps/{house.app.name}").raise_for_status()
    with house.client() as client:
        until(lambda: client.get("/").headers.get("hourmark-refused") == "unknown_app")


def test_eai_a_user_agrees_and_the_app_calls_the_platform_for_it(
    world: World, new_house: NewHouse, new_page: NewPage
) -> None:
    """After the consent the backend has the token, its proxy sends it to `/v1/`; no browser sees it."""
    house = new_house(scope="data:get@* job:get@*", audience=world.issuer.settings["HOURMARKD_ISSUER"])
    user = new_user(house.world, "app:query@*", "data:get@mine*")
    with eavesdropping() as eavesdropper:
        page = new_page(proxy=eavesdropper.for_browsers)
        page.goto(house.url)
        at_the_entrance(page, house)
        page.get_by_role("link", name="Sign in").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        sign_in(page, house.world, user)
        page.goto(house.url)
        page.get_by_role("button", name="Go on as Ada Lovelace").click()
        expect(page.get_by_role("heading", name=f"Let {house.app.name} act for you?")).to_be_visible()
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("alert")).to_contain_text("may not act for you")
        page.get_by_role("button", name="Go on as Ada Lovelace").click()
        page.get_by_role("button", name="Allow").click()
        expect(page.locator("#who")).to_have_text(f"user:{user}")
        # Its page asks its own host; the proxy adds the token on the way to the platform.
        expect(page.locator("#jobs")).to_have_text(f"user:{user} may data:get@mine*")
        asked = "path => fetch(path).then(answer => answer.status)"
        assert page.evaluate(asked, "/v1/jobs") == 200
        # The platform asks for no password there: the browser would, of whoever sits in front of it.
        assert page.evaluate(asked, "/v1/registry/token?service=x") == 401
        said = page.goto(f"{house.url}/platform")
        assert said is not None
        answer = said.json()["said"]
        assert (answer["client_id"], answer["scope"]) == (house.app.client_id, "data:get@mine*")
        token = handed(house, page)
        assert house.world.is_active(token)
        heard = eavesdropper.heard
        assert f'"principal":"user:{user}"'.encode() in heard
        assert not any(part.encode() in heard for part in token.split("."))
        page.goto(f"{house.url}/_hourmark/leave")
        at_the_entrance(page, house)
        assert not house.world.is_active(token)
        page.get_by_role("button", name="Go on as Ada Lovelace").click()
        expect(page.locator("#who")).to_have_text(f"user:{user}")
        withdraw(house, user)
        page.goto(f"{house.url}/platform")
        assert '"status":401' in page.content()
        house.world.admin.delete(f"/v1/users/{user}/sign-ins").raise_for_status()
        page.goto(house.url)
        at_the_entrance(page, house)


def test_a_token_for_an_hour_opens_until_its_role_key_is_renewed(house: House, page: Page) -> None:
    key = house.world.holder(f"app:query@{house.app.name}")
    page.goto(f"{house.url}/notes")
    at_the_entrance(page, house)
    connect(page, house.world.token(key))
    expect(page.locator("#who")).to_have_text(f"role:{key.role}")
    house.world.admin.post(f"/v1/roles/{key.role}/keys/{key.access}/renew").raise_for_status()
    page.reload()
    at_the_entrance(page, house)


def test_the_cookie_is_for_this_app_alone_and_no_script_reads_it(new_house: NewHouse, page: Page) -> None:
    house, other = new_house(), new_house()
    token = api_token(house.world)["token"]
    page.goto(house.url)
    connect(page, token)
    expect(page.locator("#who")).to_have_text("user:admin")
    ours = [each for each in page.context.cookies() if each["name"].startswith("hourmark-")]
    assert {each["name"] for each in ours} == {"hourmark-browser", "hourmark-visit"}
    for cookie in ours:
        assert (
            cookie["domain"] == f"{house.name}.apps.localhost"
        )  # no dot: for this host, not for those below
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert page.evaluate("document.cookie") == ""
    page.goto(f"{house.url}/headers")
    assert "hourmark-visit" not in page.content()
    visit = next(each["value"] for each in ours if each["name"] == "hourmark-visit")
    with other.client(Cookie=f"hourmark-visit={visit}") as client:
        assert client.get("/headers").status_code == 401
    with house.client(Cookie=f"hourmark-visit={visit}") as client:
        assert client.get("/headers").status_code == 200
        # Scripts of the app's pages are let in by it, and are told when they are not.
        assert client.get("/", headers={"Accept": "text/html", "Sec-Fetch-Mode": "cors"}).status_code == 200
    page.goto(f"{house.url}/_hourmark/leave")
    at_the_entrance(page, house)
    with house.client(Cookie=f"hourmark-visit={visit}") as client:
        assert client.get("/headers").status_code == 401


def test_a_link_to_the_entrance_leads_nowhere_else(house: House, page: Page) -> None:
    page.goto(house.url)
    at_the_entrance(page, house)
    for changed in (
        page.url.replace(house.name, "elsewhere"),
        page.url.replace("target=%2F", "target=%2F%2Felsewhere.example"),
        re.sub(r"seal=\w", "seal=0x", page.url),
    ):
        page.goto(changed)
        expect(page.get_by_text("open the app again", exact=False)).to_be_visible()


ELSEWHERE = ("//elsewhere.example/x", "/\\elsewhere.example", "/a%0d%0aSet-Cookie:x=1")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_way_back_is_to_the_app(house: House, page: Page, target: str) -> None:
    token = api_token(house.world)["token"]
    page.goto(f"{house.url}{target}")
    at_the_entrance(page, house)
    connect(page, token)
    page.wait_for_url(f"{house.url}/**")
    assert "x" not in {cookie["name"] for cookie in page.context.cookies()}
