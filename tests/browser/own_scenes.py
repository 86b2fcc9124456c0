"""What is one's own: the session, and what apps were let do."""

from __future__ import annotations

from issuer.clients import CLI_ID
from issuer.store import user_grants, users
from issuer.store.user_grants import SIGN_IN, Authentication, Place
from tests.browser.stage import SCOPE, WORDS, Stage
from tests.browsers import inside, let_in
from verifier import Scope

_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def session(stage: Stage) -> None:
    stage.come_in("data:get@*")
    app = stage.app()
    with inside(stage.world.issuer) as there, there.write(f"user:{stage.user}") as tx:
        user = users.get(tx.session, stage.user).principal
        for client_id in (app.client_id, CLI_ID):
            user_grants.create(
                tx,
                SIGN_IN,
                user,
                client_id,
                scope=Scope.parse(WORDS),
                authentication=Authentication(tx.now, ("pwd",)),
                place=Place("2001:db8:85a3::8a2e:370:7334", _FIREFOX),
                expires_at=tx.now + 3600,
            )
    behind_the_door = stage.app("", host=f"{stage.user}.apps.example")
    let_in(stage.world.issuer, stage.user, behind_the_door.client_id, agent=_FIREFOX)
    stage.open("/session")


def session_token(stage: Stage) -> None:
    stage.look_in("data:get@*")
    stage.open("/session")
    stage.press("Get a token")


def authorised_apps_none(stage: Stage) -> None:
    stage.come_in()
    stage.open("/authorised-apps")


def authorised_apps(stage: Stage) -> None:
    stage.come_in("data:get@*", "role:read@*")
    stage.let(stage.app(), f"{SCOPE} {WORDS}")
    stage.open("/authorised-apps")


SCENES = (
    session,
    session_token,
    authorised_apps_none,
    authorised_apps,
)
