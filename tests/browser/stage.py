"""Where a scene plays: a page in front of a real issuer, and whoever is in front of the page."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from playwright.sync_api import Page

from issuer.browser import SESSION_COOKIE
from tests import clients
from tests.browsers import signed_in
from tests.issuer.http.world import World, made

WORDS = "openid profile email offline_access"
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
        self.user = user
        with signed_in(self.world.issuer, self.user) as browser:
            cookie = browser.cookies[SESSION_COOKIE]
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

    def device(self, **form: str) -> str:
        """The code that a device shows."""
        if "client_id" not in form:
            form["client_id"] = self.app().client_id
        agent = {"User-Agent": "field-notes/2.1 (Linux)"}
        answer = self.world.nobody.post("/v1/device", data=form, headers=agent)
        return str(answer.json()["user_code"])
