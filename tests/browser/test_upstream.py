"""People sign in at another provider, and link an account there, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_people import set_up, sign_out
from tests.issuer.http.world import World, open_world
from tests.journeys.oidc_provider import start_provider
from tests.running_issuer import free_port


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An issuer beside whose own ways to sign in there is one at a provider."""
    port = str(free_port())
    url = f"http://localhost:{port}"
    with start_provider(f"{url}/login/corp/callback", title="Corp") as corp:
        settings = {
            "HOURMARKD_PORT": port,
            "HOURMARKD_ISSUER": url,
            "HOURMARKD_UPSTREAM_PROVIDERS": json.dumps({"corp": corp.settings}),
        }
        with open_world(tmp_path_factory.mktemp("upstream"), **settings) as opened:
            yield opened


def say_who(page: Page, subject: str) -> None:
    """At the provider."""
    expect(page).to_have_title("Who are you?")
    page.locator("input").fill(json.dumps({"sub": subject}))
    page.get_by_role("button", name="Go").click()


def test_an_account_is_linked_and_signs_in(page: Page, user: str, link: str) -> None:
    set_up(page, link)
    page.get_by_role("button", name="Link Corp").click()
    say_who(page, user)
    expect(page.get_by_text(f"As {user}, linked")).to_be_visible()
    sign_out(page)
    page.goto("/login")
    page.get_by_role("link", name="Sign in with Corp").click()  # where somebody is signed in still
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
