"""Where a scene plays: a page in front of a real issuer, and whoever is in front of the page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from playwright.sync_api import Page

from issuer.browser import SESSION_COOKIE
from issuer.store import consents, users
from issuer.store.user_grants import Authentication, Place
from tests import clients
from tests.browsers import inside, signed_in
from tests.issuer.http.world import World, made
from verifier import Scope

WORDS = "openid profile email offline_access"
_PROVES = 120
"""Seconds, less than a proof is good for what changes something."""
_DATA = "urn:hourmark:data:org.example"
SCOPE = f"data:get@{_DATA}.workspace data:*@{_DATA}.drafts.* job:start@*"


def new_user(world: World, *permissions: str) -> str:
    """Who holds these permissions."""
    user = f"ada-{uuid4().hex[:6]}"
    made(world.admin.post("/v1/users", json={"name": user, "display_name": "Ada Lovelace"}))
    if permissions:
        role = {"role": world.role(*permissions)}
        made(world.admin.post(f"/v1/users/{user}/roles", json=role))
    return user


@cache
def somebody(world: World, *permissions: str) -> str:
    """The same for all scenes that only look."""
    return new_user(world, *permissions)


@cache
def _session(world: World, user: str, _period: float) -> str:
    with signed_in(world.issuer, user) as browser:
        return browser.cookies[SESSION_COOKIE]


@dataclass
class Stage:
    """A page, and whoever is in front of it."""

    world: World
    page: Page
    user: str = ""

    def open(self, path: str) -> None:
        self.page.goto(path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"[name={name}]").fill(text)

    def show_passkey(self) -> None:
        """One that is none."""
        form = self.page.locator("[data-passkey]")
        with self.page.expect_navigation():
            form.evaluate("form => { form.elements.credential.value = '{}'; form.submit() }")

    def come_in(self, *permissions: str) -> None:
        """A new user, who is signed in and holds these permissions."""
        self.come_in_as(new_user(self.world, *permissions))

    def come_in_as(self, user: str) -> None:
        """In a session of its own."""
        with signed_in(self.world.issuer, user) as browser:
            self._come_in(user, browser.cookies[SESSION_COOKIE])

    def look_in(self, *permissions: str) -> None:
        """As somebody who holds these permissions, and changes nothing that another scene shows."""
        self.look_in_as(somebody(self.world, *permissions))

    def look_in_as(self, user: str) -> None:
        """In a session that others share, for as long as it proves enough."""
        self._come_in(user, _session(self.world, user, time.monotonic() // _PROVES))

    def _come_in(self, user: str, cookie: str) -> None:
        self.user = user
        where = self.world.url.replace("http:", "https:")
        self.page.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": cookie, "url": where, "secure": True}]
        )

    def invite(self) -> str:
        self.come_in()
        self.page.context.clear_cookies()
        return str(made(self.world.admin.post(f"/v1/users/{self.user}/invitations", json={}))["url"])

    def app(self, scope: str = SCOPE, **members: object) -> clients.App:
        return clients.register(self.world, scope, name=f"field-notes-{uuid4().hex[:4]}", **members)

    def let(self, app: clients.App, scope: str) -> None:
        """The user lets it do this."""
        with inside(self.world.issuer) as there, there.write(f"user:{self.user}") as tx:
            consents.give(
                tx,
                users.get(tx.session, self.user).principal,
                app.client_id,
                Scope.parse(scope),
                authentication=Authentication(tx.now, ("pwd",)),
                place=Place("192.0.2.7", "tests"),
            )

    def device(self, **form: str) -> str:
        """The code that a device shows."""
        if "client_id" not in form:
            form["client_id"] = self.app().client_id
        agent = {"User-Agent": "field-notes/2.1 (Linux)"}
        answer = self.world.nobody.post("/v1/device", data=form, headers=agent)
        return str(answer.json()["user_code"])
