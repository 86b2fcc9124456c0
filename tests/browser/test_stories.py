"""Stories of people who do all of it in the console, at a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.stage import Stage
from tests.doors import door
from tests.issuer.http.world import World


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
    expect(page.locator("#reach")).to_contain_text("and 1 app.")
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
