"""The pages by which people sign in, look after how they do, and let clients in."""

from __future__ import annotations

from uuid import uuid4

from issuer.clients import CLI_ID
from issuer.store import passkeys, upstream_identities, users
from tests import clients
from tests.browser.stage import SCOPE, WORDS, Stage
from tests.browsers import inside


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
    stage.look_in()
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
    stage.look_in()
    stage.open("/")


def account_full(stage: Stage) -> None:
    stage.come_in("data:get@*", "role:read@*")
    address = {"email": "ada.lovelace@analytical-engine.example"}
    stage.world.admin.patch(f"/v1/users/{stage.user}", json=address).raise_for_status()
    with inside(stage.world.issuer) as there, there.write(f"user:{stage.user}") as tx:
        user = users.get(tx.session, stage.user).principal
        for name in ("This laptop", "The blue key"):
            passkeys.add(
                tx, user, credential_id=uuid4().bytes, public_key=b"", sign_count=0, name=name
            ).last_used_at = tx.now
        upstream_identities.link(tx, user, "https://id.example", f"0oa1{uuid4().hex}")
    stage.open("/")


def password(stage: Stage) -> None:
    stage.look_in()
    stage.open("/account/password")


def password_wrong(stage: Stage) -> None:
    password(stage)
    stage.fill(password="short", again="short")
    stage.page.locator("form").evaluate("form => { form.noValidate = true }")
    stage.press("Set password")


def passkey(stage: Stage) -> None:
    stage.look_in()
    stage.open("/account/passkeys")


def passkey_wrong(stage: Stage) -> None:
    passkey(stage)
    stage.fill(name="The blue key")
    stage.show_passkey()


def consent(stage: Stage) -> None:
    stage.look_in("data:get@*")
    stage.open(stage.app().target(scope=f"{SCOPE} {WORDS}"))


def consent_more(stage: Stage) -> None:
    stage.look_in("data:*@*")
    app = stage.app()
    stage.let(app, SCOPE.split(maxsplit=1)[0])
    stage.open(app.target(scope=f"{SCOPE} offline_access"))


def consent_command_line(stage: Stage) -> None:
    stage.look_in("data:get@*")
    app = clients.App(stage.world, "", CLI_ID, None, "http://127.0.0.1:8250/callback")
    stage.open(app.target())


def consent_refused(stage: Stage) -> None:
    stage.look_in()
    stage.open("/authorize?client_id=nobody")


def device(stage: Stage) -> None:
    stage.look_in()
    stage.open("/device")


def device_wrong(stage: Stage) -> None:
    device(stage)
    stage.fill(user_code="BCDF-GHJK")
    stage.press("Go on")


def device_asks(stage: Stage, **form: str) -> None:
    stage.look_in("data:get@*")
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


def nothing_here(stage: Stage) -> None:
    stage.look_in()
    stage.open("/nowhere")


SCENES = (
    sign_in,
    sign_in_wrong,
    sign_in_passkey_wrong,
    sign_in_again,
    set_up,
    set_up_wrong,
    set_up_gone,
    account_new,
    account_full,
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
    nothing_here,
)
