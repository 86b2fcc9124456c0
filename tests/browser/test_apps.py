"""People at a real browser let apps in, or not, and approve a device."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import clients
from tests.browser.test_people import set_up
from tests.issuer.http.world import World

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def app(world: World) -> clients.App:
    return clients.register(world, "data:get@*", redirect_uris=[f"{world.url}/livez"])


@pytest.mark.parametrize(("button", "member"), [("Allow", "code"), ("Deny", "error")])
def test_an_app_asks(page: Page, link: str, app: clients.App, button: str, member: str) -> None:
    set_up(page, link)
    page.goto(app.target(scope="openid data:get@my-set"))
    expect(page.get_by_role("heading", name=app.name)).to_be_visible()
    expect(page.get_by_text("get data my-set")).to_be_visible()
    expect(page.get_by_text("never gets more than you can do")).to_be_visible()
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/livez?*")
    brought = httpx.URL(page.url).params
    assert (member in brought, brought["state"], brought["iss"]) == (True, "state-1", app.world.url)
    if button == "Allow":
        assert app.redeem(brought["code"]).json()["scope"] == "openid"
        page.goto("/authorised-apps")
        page.get_by_role("button", name=f"Withdraw what {app.name} may do").click()
        expect(page.get_by_text("When an app asks you for something")).to_be_visible()


@pytest.mark.parametrize(("button", "said"), [("Allow", "Approved"), ("Deny", "Denied")])
def test_a_device_asks(page: Page, link: str, app: clients.App, button: str, said: str) -> None:
    set_up(page, link)
    form = {"client_id": app.client_id, "scope": "openid data:get@my-set"}
    begun = app.world.nobody.post("/v1/device", data=form).json()
    page.goto(begun["verification_uri_complete"])
    page.get_by_role("button", name="Go on").click()
    for shown in (app.name, "127.0.0.1", begun["user_code"], "get data my-set"):
        expect(page.get_by_text(shown).first).to_be_visible()
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name=said)).to_be_visible()
    answer = app.ask({"grant_type": GRANT, "device_code": begun["device_code"]})
    assert answer.status_code == (200 if button == "Allow" else 400)
