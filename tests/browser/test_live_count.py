"""What labels and names reach is counted while they are typed, and without scripts by a button."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.stage import Stage
from tests.issuer.http.world import World, made


@pytest.fixture
def team(world: World) -> str:
    """A label that two jobs have."""
    name = uuid4().hex
    for stage in ("test", "live"):
        labels = {"team": name, "stage": stage}
        made(world.admin.post("/v1/jobs", json={"role": world.role(), "labels": labels}))
    return f"team={name}"


def open_form(world: World, page: Page) -> None:
    stage = Stage(world, page)
    stage.come_in("job:*@*")
    stage.open("/tokens/new?name=counted+while+typed")


def test_it_follows_what_is_typed(world: World, page: Page, team: str) -> None:
    open_form(world, page)
    expect(page.get_by_role("button", name="Count what this reaches")).to_have_count(0)
    labels, reached = page.get_by_label("Only what has these labels"), page.locator("#reach")
    for typed, said in (
        (team, "2 running jobs and"),
        (f"{team},stage=test", "1 running job and"),
        ("team", "cannot be counted"),
        (f"{team},stage=gone", "0 running jobs and"),
    ):
        labels.fill(typed)
        expect(reached).to_contain_text(said)
        expect(labels).to_be_focused()
        expect(page.get_by_label("Name", exact=True)).to_have_value("counted while typed")
    page.get_by_label("Protected endpoint").check()
    expect(reached).to_have_text(re.compile("^Reached now, of what you may look at: 0 apps"))
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError()) }")
    labels.fill(team)
    expect(reached).to_contain_text("Not counted")


def test_a_button_counts_without_scripts(world: World, new_page: NewPage, team: str) -> None:
    page = new_page(java_script_enabled=False)
    open_form(world, page)
    page.get_by_label("Only what has these labels").fill(team)
    page.get_by_role("button", name="Count what this reaches").click()
    expect(page.locator("#reach")).to_contain_text("2 running jobs and")
    expect(page.get_by_label("Only what has these labels")).to_have_value(team)
