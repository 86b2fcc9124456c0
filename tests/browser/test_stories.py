"""Stories of people who do all of it in the console, at a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Stage
from tests.doors import door
from tests.issuer.http.world import World
from tests.journeys.door.proxies import Proxy, serve_app, serve_proxy


@pytest.fixture(scope="module")
def nginx(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """In front of a small real app, by any name below its domain."""
    with serve_app(world.issuer.url) as app:
        folder = tmp_path_factory.mktemp("nginx")
        with serve_proxy("nginx", world.issuer, folder, app) as proxy:
            yield proxy


def test_bentocloud_a_token_for_one_endpoint_is_made_used_renewed_and_deleted(
    world: World, page: Page
) -> None:
    """What it is for, for which deployment, and for how long; copied once; used; replaced; gone."""
    chosen, other = door(world), door(world)
    stage = Stage(world, page)
    stage.come_in("app:*@*")
    stage.open("/tokens")
    page.get_by_role("link", name="New API token").click()
    stage.fill(name="chat widget", description="On the intranet")
    page.get_by_label("Protected endpoint").check()
    page.get_by_label(chosen.app.name).check()
    expect(page.locator("#reach")).to_contain_text("you may look at: 1 app.")
    page.get_by_label("Good for").select_option("7 days")
    stage.press("Make API token")
    expect(page.get_by_text("it is shown this once")).to_be_visible()
    first = page.get_by_label("API token").input_value()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text(f"query app {chosen.app.name}")).to_be_visible()
    expect(page.get_by_text("cannot be shown again")).to_be_visible()
    assert [each.as_bearer(first).status_code for each in (chosen, other)] == [200, 403]

    stage.open("/tokens?text=widget&state=active")
    row = page.get_by_role("row", name="chat widget")
    for said in ("Protected endpoint", first[:8], f"user:{stage.user}", "in 7 days", "UTC", "active"):
        expect(row).to_contain_text(said)
    row.get_by_role("link").click()
    page.get_by_label("The old secret").select_option("in an hour")
    stage.press("Renew")
    second = page.get_by_label("API token").input_value()
    assert [chosen.as_bearer(each).status_code for each in (first, second)] == [200, 200]
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("row", name="renewed")).to_be_visible()
    stage.press("Renew")
    third = page.get_by_label("API token").input_value()
    assert [chosen.as_bearer(each).status_code for each in (first, second, third)] == [401, 401, 200]

    page.get_by_role("link", name="I have copied it").click()
    page.get_by_text("Delete this API token …").click()
    stage.fill(confirm="chat widget")
    stage.press("Delete this API token")
    expect(page.get_by_text("None yet")).to_be_visible()
    assert chosen.as_bearer(third).status_code == 401


def test_ovh_an_app_and_a_token_for_its_label_without_a_command_line(
    world: World, nginx: Proxy, page: Page
) -> None:
    """Registered, opened with a label's token, which is made anew and deleted: by pages alone."""
    stage, name = Stage(world, page), f"notes-{uuid4().hex[:8]}"
    stage.come_in("app:*@*")
    stage.open("/apps")
    page.get_by_role("link", name="Register an app").click()
    stage.fill(name=name, host=nginx.host(name), labels=f"group={name}")
    stage.press("Register")
    expect(page.get_by_role("heading", name=name)).to_be_visible()

    stage.open("/tokens")
    page.get_by_role("link", name="New API token").click()
    stage.fill(name="notebook", labels=f"group={name}")
    page.get_by_label("Protected endpoint").check()
    expect(page.locator("#reach")).to_contain_text("you may look at: 1 app.")
    page.locator("[name=name]").press("Enter")  # makes it, and neither counts nor links
    first = page.get_by_label("API token").input_value()
    page.get_by_role("link", name="I have copied it").click()
    token_page = page.url

    app = f"http://{nginx.host(name)}/"
    entrance, who = page.get_by_role("heading", name=f"Open {name}"), page.locator("#who")

    def connect(token: str) -> None:
        page.goto(app)
        expect(entrance).to_be_visible()
        page.get_by_label("Log in with token").fill(token)
        stage.press("Connect")

    connect(first)
    expect(who).to_have_text(f"user:{stage.user}")
    stage.open("/session")
    expect(page.get_by_role("link", name=name)).to_have_attribute("href", f"https://{nginx.host(name)}/")

    stage.open(token_page)
    stage.press("Renew")
    second = page.get_by_label("API token").input_value()
    connect(first)
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    connect(second)
    expect(who).to_have_text(f"user:{stage.user}")

    stage.open("/session")
    page.get_by_role("button", name=f"End what is open in {name}").click()
    expect(page.get_by_text("Nothing.", exact=True)).to_be_visible()
    connect(second)
    expect(who).to_have_text(f"user:{stage.user}")

    stage.open(token_page)
    page.get_by_text("Delete this API token …").click()
    stage.fill(confirm="notebook")
    stage.press("Delete this API token")
    expect(page.get_by_text("None yet")).to_be_visible()
    connect(second)
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.goto(token_page)
    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()
