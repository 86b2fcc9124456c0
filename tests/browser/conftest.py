"""A real browser in front of a real issuer. Debian's chromium is driven; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests import doors
from tests.browser.scenes import PROVIDERS
from tests.issuer.http.world import World, made, open_world
from tests.running_issuer import free_port

TIMEOUT = 10_000
"""Milliseconds for whatever a page is waited for."""
NewPage = Callable[..., Page]
AXE = Path(__file__).parents[1] / "journeys" / "node" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """At a name: passkeys are for hosts that have one."""
    port = str(free_port())
    settings = {
        "HOURMARKD_PORT": port,
        "HOURMARKD_ISSUER": f"http://localhost:{port}",
        "HOURMARKD_UPSTREAM_PROVIDERS": PROVIDERS,
        **doors.SETTINGS,
    }
    with open_world(tmp_path_factory.mktemp("browser"), **settings) as opened:
        yield opened


# Playwright keeps an event loop running in this thread, in which no other test could start its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium: install Debian's package chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


class Problems(list[str]):
    """What the policy of a page stopped, and what failed in its script."""

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.append(error.message))

    def _heard(self, message: ConsoleMessage) -> None:
        # A refusal that a page shows is an answer like any other.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.append(message.text)


@pytest.fixture
def new_page(world: World, browser: Browser) -> Iterator[NewPage]:
    """Makes pages with cookies of their own; the arguments are those of a browser context.

    A problem of one fails the test.
    """
    problems = Problems()
    with ExitStack() as stack:

        def make(**options: Any) -> Page:
            context = browser.new_context(base_url=world.url, **options)
            stack.callback(context.close)
            context.set_default_timeout(TIMEOUT)
            page = context.new_page()
            problems.watch(page)
            return page

        yield make
    assert problems == []


@contextmanager
def _lasting(world: World, browser: Browser, **options: Any) -> Iterator[tuple[Page, Problems]]:
    context, problems = browser.new_context(base_url=world.url, **options), Problems()
    context.set_default_timeout(TIMEOUT)
    page = context.new_page()
    problems.watch(page)
    yield page, problems
    context.close()


def _without_what_was(lasting: tuple[Page, Problems]) -> Iterator[Page]:
    page, problems = lasting
    problems.clear()
    yield page
    page.unroute_all()
    page.context.clear_cookies()
    assert problems == []


@pytest.fixture(scope="module")
def _lasting_page(world: World, browser: Browser) -> Iterator[tuple[Page, Problems]]:
    with _lasting(world, browser) as lasting:
        yield lasting


@pytest.fixture
def same_page(_lasting_page: tuple[Page, Problems]) -> Iterator[Page]:
    """The page of the test before, without what that left there: another one costs a process.

    For tests that look at many pages, and need nothing of their own.
    """
    _lasting_page[0].emulate_media(color_scheme="light")
    yield from _without_what_was(_lasting_page)


@pytest.fixture(scope="module")
def _lasting_without_scripts(world: World, browser: Browser) -> Iterator[tuple[Page, Problems]]:
    with _lasting(world, browser, java_script_enabled=False) as lasting:
        yield lasting


@pytest.fixture
def same_page_without_scripts(_lasting_without_scripts: tuple[Page, Problems]) -> Iterator[Page]:
    yield from _without_what_was(_lasting_without_scripts)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()


@pytest.fixture
def user(world: World) -> str:
    """A new user."""
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name, "display_name": "Ada Lovelace"}))
    return name


@pytest.fixture
def link(world: World, user: str) -> str:
    """The user's set-up link."""
    return str(made(world.admin.post(f"/v1/users/{user}/invitations", json={}))["url"])
