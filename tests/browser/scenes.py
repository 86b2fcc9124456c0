"""Every page that people see, in each state that it has: a scene opens it, in front of a real issuer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from playwright.sync_api import Page

from issuer.clients import CLI_ID
from issuer.console.browser import SESSION_COOKIE
from issuer.store import consents, passkeys, upstream_identities, user_grants, users
from issuer.store.user_grants import SIGN_IN, Authentication, Place
from tests import clients
from tests.browsers import inside, signed_in
from tests.issuer.http.world import World, made
from verifier import Scope

PROVIDERS = '{"work": {"issuer": "https://id.example", "title": "Example Work", "client_id": "hourmark"}}'
"""One that is only ever named: nothing asks it."""
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_WORDS = "openid profile email offline_access"
_DATA = "urn:hourmark:data:org.example"
_SCOPE = f"data:get@{_DATA}.workspace data:*@{_DATA}.drafts.* job:start@*"


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
        self.user = f"ada-{uuid4().hex[:6]}"
        made(self.world.admin.post("/v1/users", json={"name": self.user, "display_name": "Ada Lovelace"}))
        if permissions:
            role = {"role": self.world.role(*permissions)}
            made(self.world.admin.post(f"/v1/users/{self.user}/roles", json=role))
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

    def app(self, scope: str = _SCOPE, **members: object) -> clients.App:
        return clients.register(self.world, scope, name=f"field-notes-{uuid4().hex[:4]}", **members)

    def device(self, **form: str) -> str:
        """The code that a device shows."""
        if "client_id" not in form:
            form["client_id"] = self.app().client_id
        agent = {"User-Agent": "field-notes/2.1 (Linux)"}
        answer = self.world.nobody.post("/v1/device", data=form, headers=agent)
        return str(answer.json()["user_code"])


def sign_in(stage: Stage) -> None:
    stage.open("/login")


def sign_in_wrong(stage: Stage) -> None:
    stage.open("/login?next=/device")
    stage.fill(user="ada", password="not the right one")
    stage.press("Sign in")


def sign_in_passkey_wrong(stage: Stage) -> None:
    stage.open("/login")
    stage.show_passkey()


def sign_in_again(stage: Stage) -> None:
    stage.come_in()
    stage.open("/login?next=/account/password")


def set_up(stage: Stage) -> None:
    stage.open(stage.invite())


def set_up_wrong(stage: Stage) -> None:
    stage.open(stage.invite())
    stage.fill(password="correct horse battery", again="correct horse")
    stage.press("Set password")


def set_up_gone(stage: Stage) -> None:
    stage.open("/setup?invitation=hmi_gone")


def account_new(stage: Stage) -> None:
    stage.come_in()
    stage.open("/")


def account_full(stage: Stage) -> None:
    stage.come_in("data:get@*", "role:read@*")
    address = {"email": "ada.lovelace@analytical-engine.example"}
    stage.world.admin.patch(f"/v1/users/{stage.user}", json=address).raise_for_status()
    app = stage.app()
    with inside(stage.world.issuer) as there, there.write(f"user:{stage.user}") as tx:
        user = users.get(tx.session, stage.user).principal
        for name in ("This laptop", "The blue key"):
            passkeys.add(
                tx, user, credential_id=uuid4().bytes, public_key=b"", sign_count=0, name=name
            ).last_used_at = tx.now
        upstream_identities.link(tx, user, "https://id.example", f"0oa1{uuid4().hex}")
        proved, place = Authentication(tx.now, ("pwd",)), Place("2001:db8:85a3::8a2e:370:7334", _FIREFOX)
        scope = Scope.parse(f"{_SCOPE} {_WORDS}")
        consents.give(tx, user, app.client_id, scope, authentication=proved, place=place)
        for client_id in (app.client_id, CLI_ID):
            user_grants.create(
                tx,
                SIGN_IN,
                user,
                client_id,
                scope=scope,
                authentication=proved,
                place=place,
                expires_at=tx.now + 3600,
            )
    stage.open("/")


def tokens_none(stage: Stage) -> None:
    stage.come_in()
    stage.open("/tokens")


def token_new(stage: Stage) -> None:
    stage.come_in("app:*@*", "job:*@*")
    stage.open("/tokens/new?name=nightly+evaluation&preset-read=on&labels=model=base")


def token_new_wrong(stage: Stage) -> None:
    token_new(stage)
    stage.fill(labels="model")
    stage.page.get_by_label("Developer operations").check()
    stage.press("Make API token")


def token_shown(stage: Stage) -> None:
    token_new(stage)
    stage.press("Make API token")


def tokens(stage: Stage) -> None:
    token_shown(stage)
    stage.open("/tokens/new?name=chat-client&preset-operator=on&preset-read=on&resources=my-chat-*")
    stage.fill(description="Answers questions on the intranet")
    stage.press("Make API token")
    stage.open("/tokens")
    stage.page.locator("details").first.evaluate("details => { details.open = true }")


def password(stage: Stage) -> None:
    stage.come_in()
    stage.open("/account/password")


def password_wrong(stage: Stage) -> None:
    password(stage)
    stage.fill(password="short", again="short")
    stage.page.locator("form").evaluate("form => { form.noValidate = true }")
    stage.press("Set password")


def passkey(stage: Stage) -> None:
    stage.come_in()
    stage.open("/account/passkeys")


def passkey_wrong(stage: Stage) -> None:
    passkey(stage)
    stage.fill(name="The blue key")
    stage.show_passkey()


def consent(stage: Stage) -> None:
    stage.come_in("data:get@*")
    stage.open(stage.app().target(scope=f"{_SCOPE} {_WORDS}"))


def consent_more(stage: Stage) -> None:
    stage.come_in("data:*@*")
    app = stage.app()
    stage.page.route(f"{clients.CALLBACK}**", lambda route: route.fulfill(body="here is the app"))
    stage.open(app.target(scope=_SCOPE.split(maxsplit=1)[0]))
    stage.press("Allow")
    stage.page.wait_for_url(f"{clients.CALLBACK}**")
    stage.open(app.target(scope=f"{_SCOPE} offline_access"))


def consent_command_line(stage: Stage) -> None:
    stage.come_in("data:get@*")
    app = clients.App(stage.world, "", CLI_ID, None, "http://127.0.0.1:8250/callback")
    stage.open(app.target())


def consent_refused(stage: Stage) -> None:
    stage.come_in()
    stage.open("/authorize?client_id=nobody")


def device(stage: Stage) -> None:
    stage.come_in()
    stage.open("/device")


def device_wrong(stage: Stage) -> None:
    device(stage)
    stage.fill(user_code="BCDF-GHJK")
    stage.press("Go on")


def device_asks(stage: Stage, **form: str) -> None:
    stage.come_in("data:get@*")
    code = stage.device(**form)
    stage.open(f"/device?user_code={code}")
    stage.press("Go on")


def device_command_line(stage: Stage) -> None:
    device_asks(stage, client_id=CLI_ID)


def device_allowed(stage: Stage) -> None:
    device_asks(stage)
    stage.press("Allow")


def device_denied(stage: Stage) -> None:
    device_asks(stage)
    stage.press("Deny")


def sign_out(stage: Stage) -> None:
    stage.come_in()
    stage.open("/logout")


def sign_out_for_an_app(stage: Stage) -> None:
    stage.come_in()
    stage.open(f"/logout?client_id={stage.app().client_id}")


def signed_out(stage: Stage) -> None:
    sign_out(stage)
    stage.press("Sign out")


def provider_away(stage: Stage) -> None:
    stage.open("/login/other")


def not_permitted(stage: Stage) -> None:
    sign_out(stage)
    stage.page.locator("[name=csrf]").evaluate("field => { field.value = 'of another page' }")
    stage.press("Sign out")


SCENES: dict[str, Callable[[Stage], None]] = {
    scene.__name__: scene
    for scene in (
        sign_in,
        sign_in_wrong,
        sign_in_passkey_wrong,
        sign_in_again,
        set_up,
        set_up_wrong,
        set_up_gone,
        account_new,
        account_full,
        tokens_none,
        tokens,
        token_new,
        token_new_wrong,
        token_shown,
        password,
        password_wrong,
        passkey,
        passkey_wrong,
        consent,
        consent_more,
        consent_command_line,
        consent_refused,
        device,
        device_wrong,
        device_asks,
        device_command_line,
        device_allowed,
        device_denied,
        sign_out,
        sign_out_for_an_app,
        signed_out,
        provider_away,
        not_permitted,
    )
}
